// Which days a chart shows: by place on the timeline, by date, and by the buttons and keys that move it.

/** @import { Chart } from "../vendor/lightweight-charts.js" */
/** @import { Range } from "../types.d.ts" */

const DAY_SECONDS = 86_400;
const PIXELS_FOR_HALF_A_LABEL = 32;

/** The range of one chart with one timeline. */
export class ChartRange {
  /** @type {ReturnType<Chart["timeScale"]>} */
  #scale;
  /** @type {Float64Array} */
  #times;
  /** @type {{days: Range, places: {from: number, to: number}} | null} */
  #asked = null;
  /** What the chart takes over with its next frame: a second key may come before that. @type {{from: number, to: number} | null} */
  #coming = null;

  /** @param {Chart} chart @param {Float64Array} times its days, Unix seconds, ascending */
  constructor(chart, times) {
    [this.#scale, this.#times] = [chart.timeScale(), times];
  }

  get #last() {
    return this.#times.length - 1;
  }

  /** The place of the first day that is not before that time. @param {number} time Unix seconds */
  placeOf(time) {
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.#last);
  }

  /** Days in sight; null when all are. @returns {Range | null} */
  get days() {
    const logical = this.#scale.getVisibleLogicalRange();
    if (!logical || (logical.from <= 0.5 && logical.to >= this.#last - 0.5)) return null;
    if (this.#asked && isNear(this.#asked.places, logical)) return this.#asked.days;
    const { from, to } = logical;
    return [this.#dayAt(from <= 0.5 ? 0 : from + (to - from) * this.#margin), this.#dayAt(to)];
  }

  /** Share of the width that is left of the first day, since its label would be cut in half at the edge. */
  get #margin() {
    return Math.min(PIXELS_FOR_HALF_A_LABEL / Math.max(this.#scale.width(), 1), 0.2);
  }

  /** @param {number} place */
  #dayAt(place) {
    return this.#times[Math.min(Math.max(Math.round(place), 0), this.#last)];
  }

  /** Latest of the first day in sight. */
  get first() {
    const { days } = this;
    return days ? this.placeOf(days[0]) : 0;
  }

  /** @param {number} from place @param {number} to place */
  showPlaces(from, to) {
    this.#coming = { from, to };
    this.#scale.setVisibleLogicalRange(this.#coming);
    requestAnimationFrame(() => {
      this.#coming = null;
    });
  }

  /** @param {Range} days */
  show(days) {
    const [from, to] = days.map((time) => this.placeOf(time));
    const margin = this.#margin;
    const places = { from: Math.max((from - to * margin) / (1 - margin), 0), to };
    this.#asked = { days, places };
    this.showPlaces(places.from, places.to);
  }

  showAll() {
    this.showPlaces(-0.5, this.#last + 0.5);
  }

  /** The last so many days of the calendar; null where that is all. @param {number} days @returns {Range | null} */
  lastDays(days) {
    const last = this.#times[this.#last];
    const from = this.placeOf(last - days * DAY_SECONDS);
    return from ? [this.#times[from], last] : null;
  }

  /** Move or zoom by keyboard. @param {number} by share of the width @param {number} zoom above one shows less */
  move(by, zoom = 1) {
    const logical = this.#coming ?? this.#scale.getVisibleLogicalRange();
    if (!logical) return;
    const width = (logical.to - logical.from) / zoom;
    if (width > this.#last) return this.showAll();
    const from = (logical.from + logical.to - width) / 2 + by * width;
    const within = Math.min(Math.max(from, -0.5), this.#last + 0.5 - width);
    this.showPlaces(within, within + width);
  }
}

/** Whether two ranges differ by less than what fixed edges and rounding change. @param {{from: number, to: number}} one @param {{from: number, to: number}} other */
function isNear(one, other) {
  return Math.abs(one.from - Math.max(other.from, 0)) < 0.51 && Math.abs(one.to - other.to) < 0.51;
}
