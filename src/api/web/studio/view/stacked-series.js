// Weights stacked on each other, as a series of the chart's own: what was held, from nothing to all of the equity.

/** @import { BitmapCoordinatesRenderingScope } from "fancy-canvas" */
/** @import { CustomSeriesOptions, CustomSeriesWhitespaceData, ICustomSeriesPaneRenderer, ICustomSeriesPaneView, PaneRendererCustomData, PriceToCoordinateConverter } from "../vendor/lightweight-charts.js" */

/** @typedef {{time: number, parts: number[]}} Day what was held: fractions of equity */
/** @typedef {CustomSeriesOptions & {hues: string[]}} Options */

/**
 * One bar a day, its parts on top of each other; days closer than a pixel are drawn as one.
 *
 * @implements {ICustomSeriesPaneView<number, Day, Options>}
 */
export class StackedSeries {
  /** @type {PaneRendererCustomData<number, Day> | null} */
  #data = null;
  /** @type {string[]} */
  #hues = [];

  /** What differs from the library's own defaults. */
  defaultOptions() {
    const own = { hues: [], color: "transparent", lastValueVisible: false, priceLineVisible: false };
    return /** @type {Options} */ (/** @type {Partial<Options>} */ (own));
  }

  /** The scale goes from nothing to the whole, independent of the visible days. @param {Day} day */
  priceValueBuilder({ parts }) {
    return [0, 1, parts.reduce((sum, part) => sum + part, 0)];
  }

  /** @param {Day | CustomSeriesWhitespaceData<number>} day @returns {day is CustomSeriesWhitespaceData<number>} */
  isWhitespace(day) {
    return !("parts" in day);
  }

  /** @param {PaneRendererCustomData<number, Day>} data @param {Options} options */
  update(data, options) {
    [this.#data, this.#hues] = [data, options.hues];
  }

  /** @returns {ICustomSeriesPaneRenderer} */
  renderer() {
    return { draw: (target, toCoordinate) => target.useBitmapCoordinateSpace((scope) => this.#draw(scope, toCoordinate)) };
  }

  /** @param {BitmapCoordinatesRenderingScope} scope @param {PriceToCoordinateConverter} toCoordinate */
  #draw({ context, horizontalPixelRatio, verticalPixelRatio }, toCoordinate) {
    if (!this.#data?.visibleRange) return;
    const { bars, visibleRange, barSpacing } = this.#data;
    const half = (barSpacing * horizontalPixelRatio) / 2;
    let drawnTo = -Infinity;
    for (let index = visibleRange.from; index < visibleRange.to; index += 1) {
      const { x, originalData } = bars[index];
      const left = Math.max(Math.round(x * horizontalPixelRatio - half), drawnTo);
      const right = Math.round(x * horizontalPixelRatio + half);
      if (right <= left) continue;
      drawnTo = right;
      this.#drawDay(context, originalData.parts, left, right - left, (value) => (toCoordinate(value) ?? 0) * verticalPixelRatio);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number[]} parts @param {number} left @param {number} width @param {(value: number) => number} toPixel */
  #drawDay(context, parts, left, width, toPixel) {
    let below = 0;
    parts.forEach((part, place) => {
      if (part === 0) return;
      const [bottom, top] = [Math.round(toPixel(below)), Math.round(toPixel(below + part))];
      context.fillStyle = this.#hues[place % this.#hues.length];
      context.fillRect(left, top, width, bottom - top);
      below += part;
    });
  }
}
