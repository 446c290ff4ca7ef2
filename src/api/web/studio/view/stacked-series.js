// Weights stacked on each other, as a series of the chart's own: what was held, from nothing to all of the equity.

/** One bar a day, its parts on top of each other; days closer than a pixel are drawn as one. */
export class StackedSeries {
  #data = null;
  #options = null;

  defaultOptions() {
    return { hues: [], color: "transparent", lastValueVisible: false, priceLineVisible: false };
  }

  /** The scale goes from nothing to the whole, whatever is in sight. */
  priceValueBuilder({ parts }) {
    return [0, 1, parts.reduce((sum, part) => sum + part, 0)];
  }

  isWhitespace({ parts }) {
    return parts === undefined;
  }

  update(data, options) {
    [this.#data, this.#options] = [data, options];
  }

  renderer() {
    return { draw: (target, toCoordinate) => target.useBitmapCoordinateSpace((scope) => this.#draw(scope, toCoordinate)) };
  }

  #draw({ context, horizontalPixelRatio, verticalPixelRatio }, toCoordinate) {
    const { bars, visibleRange, barSpacing } = this.#data ?? {};
    if (!visibleRange) return;
    const half = (barSpacing * horizontalPixelRatio) / 2;
    let drawnTo = -Infinity;
    for (let index = visibleRange.from; index < visibleRange.to; index += 1) {
      const { x, originalData } = bars[index];
      const left = Math.max(Math.round(x * horizontalPixelRatio - half), drawnTo);
      const right = Math.round(x * horizontalPixelRatio + half);
      if (right <= left) continue;
      drawnTo = right;
      this.#drawDay(context, originalData.parts, left, right - left, (value) => toCoordinate(value) * verticalPixelRatio);
    }
  }

  #drawDay(context, parts, left, width, toPixel) {
    let below = 0;
    parts.forEach((part, place) => {
      if (part === 0) return;
      const [bottom, top] = [Math.round(toPixel(below)), Math.round(toPixel(below + part))];
      context.fillStyle = this.#options.hues[place % this.#options.hues.length];
      context.fillRect(left, top, width, bottom - top);
      below += part;
    });
  }
}
