// Weights stacked on each other, as a series of the chart's own: what was held, short positions below zero.

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

  /** The scale has nothing and the whole, whichever days are visible. @param {Day} day */
  priceValueBuilder({ parts }) {
    /** @param {(part: number) => boolean} isSummed */
    const sum = (isSummed) => parts.filter(isSummed).reduce((total, part) => total + part, 0);
    const [long, short] = [sum((part) => part > 0), sum((part) => part < 0)];
    return [Math.min(0, short), Math.max(1, long), long + short];
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
    let [above, below] = [0, 0];
    parts.forEach((part, place) => {
      if (part === 0) return;
      const from = part > 0 ? above : below;
      const [bottom, top] = [Math.round(toPixel(from)), Math.round(toPixel(from + part))];
      context.fillStyle = this.#hues[place % this.#hues.length];
      context.fillRect(left, Math.min(top, bottom), width, Math.abs(bottom - top));
      if (part > 0) above += part;
      else below += part;
    });
  }
}
