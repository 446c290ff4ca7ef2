// A list of a million rows of which only those in sight exist.

import { Latest } from "../state/latest.js";
import { element } from "./dom.js";

/** Browsers stop at some 33 million pixels; a longer list moves faster than the pointer instead. */
const TALLEST_PIXELS = 8_000_000;
const SPARE_ROWS = 6;

/**
 * Shows rows that are fetched as they come into sight.
 *
 * @template Row
 */
export class VirtualRows {
  #scroller;
  #spacer = element("div.virtual-spacer", { role: "presentation" });
  #layer = element("div.virtual-layer", { role: "rowgroup" });
  #rowPixels;
  #headPixels;
  #total = 0;
  #first = 0;
  #fetch;
  #render;
  #place = new Latest();
  #ownScroll = NaN;

  /**
   * @param {HTMLElement} scroller has a height of its own
   * @param {object} how
   * @param {number} how.rowPixels
   * @param {number} how.headPixels of what stays above the rows, inside the scroller
   * @param {(from: number, count: number) => Promise<{total: number, rows: Row[]}>} how.fetch
   * @param {(row: Row, number: number) => HTMLElement} how.render
   */
  constructor(scroller, { rowPixels, headPixels, fetch, render }) {
    this.#scroller = scroller;
    this.#rowPixels = rowPixels;
    this.#headPixels = headPixels;
    this.#fetch = fetch;
    this.#render = render;
    scroller.append(this.#spacer, this.#layer);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    scroller.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
    new ResizeObserver(() => this.show()).observe(scroller);
  }

  /** Rows that fit. */
  get visibleCount() {
    return Math.max(1, Math.floor((this.#scroller.clientHeight - this.#headPixels) / this.#rowPixels));
  }

  get total() {
    return this.#total;
  }

  get #lastFirst() {
    return Math.max(0, this.#total - this.visibleCount);
  }

  get #isScaled() {
    return this.#total * this.#rowPixels > TALLEST_PIXELS;
  }

  /** Fetch and draw what is in sight. */
  async show() {
    const signal = this.#place.begin();
    const from = Math.max(0, Math.floor(this.#first) - SPARE_ROWS);
    const { total, rows } = await this.#fetch(from, this.visibleCount + 2 * SPARE_ROWS);
    // An answer to an older question would make the list jump back.
    if (signal.aborted) return;
    this.#total = total;
    this.#spacer.style.height = `${Math.min(total * this.#rowPixels, TALLEST_PIXELS)}px`;
    this.#layer.replaceChildren(...rows.map((row, place) => this.#render(row, from + place)));
    const top = this.#headPixels + this.#scroller.scrollTop + (from - this.#first) * this.#rowPixels;
    this.#layer.style.transform = `translateY(${top}px)`;
  }

  /** Start again from the top, as after another order or filter. */
  reset() {
    this.#first = 0;
    this.#moveBar();
    return this.show();
  }

  /** Bring a row into sight. @param {number} row @param {boolean} isCentred */
  async reveal(row, isCentred = false) {
    const isInSight = row >= Math.ceil(this.#first) && row < Math.floor(this.#first) + this.visibleCount;
    if (isInSight && !isCentred) return this.show();
    const above = row < this.#first ? row : row - this.visibleCount + 1;
    this.#first = this.#bounded(isCentred ? row - Math.floor(this.visibleCount / 2) : above);
    this.#moveBar();
    return this.show();
  }

  /** @param {number} first */
  #bounded(first) {
    return Math.min(Math.max(first, 0), this.#lastFirst);
  }

  /** Where the scroll bar must stand for the first row. */
  #moveBar() {
    const range = this.#scroller.scrollHeight - this.#scroller.clientHeight;
    const wanted = this.#isScaled ? (this.#first / Math.max(this.#lastFirst, 1)) * range : this.#first * this.#rowPixels;
    this.#scroller.scrollTop = wanted;
    this.#ownScroll = this.#scroller.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (scrollTop === this.#ownScroll) return;
    this.#ownScroll = NaN;
    const share = scrollTop / Math.max(scrollHeight - clientHeight, 1);
    this.#first = this.#isScaled ? share * this.#lastFirst : scrollTop / this.#rowPixels;
    this.show();
  }

  /** Where one pixel of the bar is many rows, the wheel still moves by rows. @param {WheelEvent} event */
  #wheeled(event) {
    if (!this.#isScaled || event.ctrlKey) return;
    event.preventDefault();
    this.#first = this.#bounded(this.#first + event.deltaY / this.#rowPixels);
    this.#moveBar();
    this.show();
  }
}
