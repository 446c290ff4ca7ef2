// Buys, sells and exits on the equity: gathered where they would lie on each other, named where there is room.

import { createSeriesMarkers } from "../vendor/lightweight-charts.js";
import { marksInSight, marksToDraw } from "../result/marks.js";

/** @import { ChartColours } from "./chart-look.js" */
/** @import { Series, SeriesMarker } from "../vendor/lightweight-charts.js" */
/** @import { Selected } from "./selected.js" */
/** @import { ExitReason } from "../types.d.ts" */
/** @import { Mark } from "../result/marks.js" */

const PIXELS_BETWEEN_NAMES = 46;
const PIXELS_FOR_NAMES = 20;
/** Exits without a signal: the letters at their marks, and the place of their colour among the hues. @type {Partial<Record<ExitReason, [letters: string, hue: number]>>} */
export const EXIT_LOOKS = { stop_loss: ["SL", 3], take_profit: ["TP", 4], trailing_stop: ["TS", 2], delisting: ["DL", 6], ruin: ["R", 3] };

/** The marks of one chart. */
export class MarksLayer {
  #plugin;
  /** @type {ChartColours} */
  #colours;
  /** @type {Mark[]} */
  #marks;
  /** @type {Selected | null} */
  #selected = null;
  #drawn = "";
  #isShown = true;
  /** Whether one mark stands for those of several days. */
  areGathered = false;

  /** @param {Series<"Candlestick">} series that carries them @param {ChartColours} colours @param {Mark[]} marks */
  constructor(series, colours, marks) {
    this.#plugin = createSeriesMarkers(series, [], { autoScale: false });
    [this.#colours, this.#marks] = [colours, marks];
  }

  /** @param {Selected | null} selected that has marks of its own */
  select(selected) {
    this.#selected = selected;
  }

  /** @param {boolean} isShown whether marks are drawn; those of what is selected always are */
  show(isShown) {
    this.#isShown = isShown;
  }

  /**
   * Draw what fits. Moving along the same scale changes nothing, so only zooming costs something.
   *
   * @param {{from: number, to: number}} range in sight, Unix seconds @param {number} widthPixels
   */
  draw(range, widthPixels) {
    const pixelSeconds = (range.to - range.from) / Math.max(widthPixels, 1);
    // Steps of a fifth: the marks do not jump with every turn of the wheel.
    const level = Math.round(Math.log(pixelSeconds) / Math.log(1.2));
    const drawn = `${level} ${this.#selected?.key} ${this.#isShown}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const secondsPerPixel = 1.2 ** level;
    const marks = this.#isShown ? this.#marks : [];
    const gathered = marksToDraw(marks, range, secondsPerPixel);
    this.areGathered = gathered.length < marks.length;
    const areFew = marksInSight(gathered, range) * PIXELS_FOR_NAMES <= widthPixels;
    const named = areFew ? this.#withRoomForNames(gathered, secondsPerPixel * PIXELS_BETWEEN_NAMES) : new Set();
    const looks = gathered.map((mark) => this.#look(mark, areFew, named.has(mark)));
    looks.push(...[...new Set(this.#selectedTimes)].map((time) => this.#selectedLook(time)));
    this.#plugin.setMarkers(looks.sort((one, other) => one.time - other.time));
  }

  get #selectedTimes() {
    return this.#selected ? [this.#selected.from, this.#selected.to] : [];
  }

  /** Those whose names do not run into each other or into what is selected. @param {Mark[]} marks @param {number} seconds */
  #withRoomForNames(marks, seconds) {
    const lastOf = { 1: -Infinity, [-1]: -Infinity };
    const taken = this.#selectedTimes;
    const named = marks.filter(({ time, side }) => {
      if (time - lastOf[side] < seconds || taken.some((other) => Math.abs(time - other) < seconds)) return false;
      lastOf[side] = time;
      return true;
    });
    return new Set(named);
  }

  /** @param {Mark} mark @param {boolean} isLarge @param {boolean} isNamed @returns {SeriesMarker<number>} */
  #look({ time, side, count, symbol, reason }, isLarge, isNamed) {
    const isBuy = side > 0;
    const [letters, hue] = EXIT_LOOKS[reason] ?? ["", null];
    return {
      time,
      position: isBuy ? "belowBar" : "aboveBar",
      shape: hue !== null ? "square" : isBuy ? "arrowUp" : "arrowDown",
      color: hue !== null ? this.#colours.hues[hue] : isBuy ? this.#colours.buy : this.#colours.sell,
      size: isLarge ? 1 : 0.5,
      text: isNamed ? (count === 1 ? letters || symbol : `${count}×${letters}`) : "",
    };
  }

  /** @param {number} time @returns {SeriesMarker<number>} */
  #selectedLook(time) {
    return { time, position: "inBar", shape: "circle", color: this.#colours.focus, size: 1.4 };
  }
}
