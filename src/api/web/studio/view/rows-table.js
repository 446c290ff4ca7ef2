// A long table of a run, its orders or its trades: sorted and filtered beside the page, drawn only where one looks.

import { symbolColours } from "../result/symbol-colours.js";
import { Latest } from "../state/latest.js";
import { counted } from "../text/format.js";
import { coloured, element, fill } from "./dom.js";
import { VirtualRows } from "./virtual-rows.js";

/** @import { ResultReader } from "../service/result-reader.js" */
/** @import { Wanted } from "../result/order-view.js" */
/** @import { TableName } from "../service/result-worker.js" */

const ROW_PIXELS = 28;
const HEAD_PIXELS = 32;

/** @typedef {{place: number, symbol: string, side: 1 | -1}} RowBase what every row has */

/**
 * @template {RowBase} Row
 * @typedef {object} Column
 * @property {string} sort its name where rows are sorted
 * @property {string} title
 * @property {"number"} [kind]
 * @property {(row: Row) => string} text
 * @property {(row: Row) => string} [look] a class
 */

/**
 * @template {RowBase} Row
 * @typedef {object} Kind
 * @property {TableName} table
 * @property {string} thing one of its rows
 * @property {[both: string, above: string, below: string]} sides
 * @property {string} note
 * @property {string} first what it is sorted by
 * @property {Column<Row>[]} columns
 * @property {(row: Row) => string} idOf for people and tests
 */

/**
 * The table; a row that is chosen is told, and may be chosen from outside.
 *
 * @template {RowBase} Row
 */
export class RowsTable {
  #kind;
  /** @type {ResultReader | null} */
  #reader = null;
  /** @type {Map<string, number>} */
  #colours = new Map();
  /** @type {Wanted} */
  #wanted = { sort: "number", isDescending: false, symbol: "", side: 0 };
  #active = 0;
  /** @type {number | null} */
  #chosen = null;
  #choosing = new Latest();
  #onChoose;
  #count = element("span.soft", { role: "status" });
  #symbol = element("input", { type: "search", "aria-label": "Symbol contains", placeholder: "Symbol", oninput: () => this.#filter() });
  #side = element("select", { "aria-label": "Side", onchange: () => this.#filter() });
  #head = element("div.order-head", { role: "rowgroup" });
  #grid = element("div.order-grid", { role: "grid", tabindex: 0, onkeydown: (event) => this.#keyed(event) }, this.#head);
  /** @type {VirtualRows<Row>} */
  #rows;

  /** @param {Kind<Row>} kind @param {(row: Row) => void} onChoose */
  constructor(kind, onChoose) {
    this.#kind = kind;
    this.#onChoose = onChoose;
    fill(this.#side, ...kind.sides.map((name, place) => element("option", { value: [0, 1, -1][place] }, name)));
    this.#grid.classList.add(kind.table);
    this.#grid.setAttribute("aria-label", kind.table === "orders" ? "Orders" : "Trades");
    this.#grid.setAttribute("aria-colcount", String(kind.columns.length));
    const note = element("p.soft.order-note", {}, kind.note);
    this.view = element("div.orders", {}, element("div.order-filter", {}, this.#symbol, this.#side, this.#count, note), this.#grid);
    this.#rows = new VirtualRows(this.#grid, {
      rowPixels: ROW_PIXELS,
      headPixels: HEAD_PIXELS,
      fetch: (from, count) => this.#fetch(from, count),
      render: (row, number) => this.#row(row, number),
    });
  }

  /** @param {ResultReader} reader @param {Map<string, number>} colours numbers by symbol */
  showFrom(reader, colours) {
    this.#choosing.begin();
    this.#colours = colours;
    this.#wanted = { sort: this.#kind.first, isDescending: false, symbol: "", side: 0 };
    [this.#reader, this.#active, this.#chosen] = [reader, 0, null];
    [this.#symbol.value, this.#side.value] = ["", "0"];
    this.#drawHead();
    this.#rows.reset();
  }

  /** @param {number} from @param {number} count */
  async #fetch(from, count) {
    const answer = this.#reader ? await this.#reader.rows(this.#kind.table, this.#wanted, from, count) : { total: 0, rows: [] };
    this.#grid.setAttribute("aria-rowcount", String(answer.total + 1));
    this.#count.textContent = counted(answer.total, this.#kind.thing);
    return answer;
  }

  #filter() {
    this.#choosing.begin();
    const side = /** @type {Wanted["side"]} */ (Number(this.#side.value));
    this.#wanted = { ...this.#wanted, symbol: this.#symbol.value, side };
    this.#active = 0;
    this.#rows.reset();
  }

  /** @param {string} sort */
  #sortBy(sort) {
    this.#choosing.begin();
    const isDescending = this.#wanted.sort === sort && !this.#wanted.isDescending;
    this.#wanted = { ...this.#wanted, sort, isDescending };
    this.#active = 0;
    this.#drawHead();
    this.#head.querySelectorAll("button")[this.#kind.columns.findIndex((column) => column.sort === sort)].focus();
    this.#rows.reset();
  }

  #drawHead() {
    const cells = this.#kind.columns.map(({ sort, title, kind }, column) => {
      const isSorted = this.#wanted.sort === sort;
      const direction = isSorted ? (this.#wanted.isDescending ? "descending" : "ascending") : "none";
      const arrow = isSorted ? (this.#wanted.isDescending ? " ↓" : " ↑") : "";
      const button = element("button.sort", { type: "button", "data-sort": sort, onclick: () => this.#sortBy(sort) }, title, element("span", { "aria-hidden": "true" }, arrow));
      return element(`div${kind ? `.${kind}` : ""}`, { role: "columnheader", "aria-sort": direction, "aria-colindex": column + 1 }, button);
    });
    fill(this.#head, element("div.order-row", { role: "row", "aria-rowindex": 1 }, ...cells));
  }

  /** @param {Row} row @param {number} number */
  #row(row, number) {
    const { columns, thing, idOf } = this.#kind;
    const cells = columns.map(({ kind, text, look }, column) => {
      const classes = [kind, look?.(row)].filter(Boolean).map((name) => `.${name}`).join("");
      return element(`div${classes}`, { role: "gridcell", "aria-colindex": column + 1 }, text(row));
    });
    const symbolCell = cells[columns.findIndex(({ sort }) => sort === "symbol")];
    symbolCell.prepend(coloured(element("span.swatch", { "aria-hidden": "true" }), this.#colours.get(row.symbol) ?? symbolColours([row.symbol]).get(row.symbol)));
    const choose = () => {
      this.#active = number;
      this.#choose(row);
    };
    const made = element("div.order-row", { role: "row", id: `${thing}-row-${number}`, "aria-rowindex": number + 2, [`data-${thing}`]: idOf(row), onclick: choose }, ...cells);
    made.setAttribute("aria-selected", String(row.place === this.#chosen));
    made.classList.toggle("active", number === this.#active);
    if (number === this.#active) this.#grid.setAttribute("aria-activedescendant", made.id);
    return made;
  }

  /** @param {Row} row */
  #choose(row) {
    this.#choosing.begin();
    this.#chosen = row.place;
    this.#rows.show();
    this.#onChoose(row);
  }

  /**
   * Choose a row from outside.
   *
   * @param {number | null} place null for none
   * @returns {Promise<Row | null>} null when there is none, or something else was chosen or asked for meanwhile
   */
  async choose(place) {
    const signal = this.#choosing.begin();
    this.#chosen = place;
    if (place === null || !this.#reader) {
      this.#rows.show();
      return null;
    }
    const { table } = this.#kind;
    let { at, row } = await this.#reader.find(table, this.#wanted, place);
    if (signal.aborted || !row) return null;
    if (at < 0) {
      // The filter hides it: what was asked for from outside comes first.
      this.#wanted = { ...this.#wanted, symbol: "", side: 0 };
      [this.#symbol.value, this.#side.value] = ["", "0"];
      ({ at, row } = await this.#reader.find(table, this.#wanted, place));
    }
    // How many rows there are decides how far it can be scrolled.
    if (!signal.aborted) await this.#rows.show();
    if (signal.aborted) return null;
    this.#active = at;
    this.#rows.reveal(at, true);
    return row;
  }

  /** @param {KeyboardEvent} event */
  async #keyed(event) {
    if (event.target !== this.#grid) return;
    const page = this.#rows.visibleCount;
    const step = new Map([["ArrowDown", 1], ["ArrowUp", -1], ["PageDown", page], ["PageUp", -page], ["Home", -Infinity], ["End", Infinity]]).get(event.key);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const signal = this.#choosing.begin();
      const answer = await this.#reader?.rows(this.#kind.table, this.#wanted, this.#active, 1);
      if (answer?.rows.length && !signal.aborted) this.#choose(answer.rows[0]);
    } else if (step !== undefined) {
      event.preventDefault();
      this.#active = Math.min(Math.max(this.#active + step, 0), Math.max(this.#rows.total - 1, 0));
      await this.#rows.reveal(this.#active);
      this.#grid.scrollIntoView({ block: "nearest" });
    }
  }
}
