// Every order of a run: sorted and filtered beside the page, drawn only where one looks.

import { symbolColours } from "../result/symbol-colours.js";
import { Latest } from "../state/latest.js";
import { counted, isoDate, money, plainNumber } from "../text/format.js";
import { coloured, element, fill } from "./dom.js";
import { VirtualRows } from "./virtual-rows.js";

/** @import { ResultReader } from "../service/result-reader.js" */
/** @import { OrderRow, Wanted } from "../result/order-view.js" */

const ROW_PIXELS = 28;
const HEAD_PIXELS = 32;
/** @type {{sort: Wanted["sort"], title: string, kind?: "number", text: (order: OrderRow) => string}[]} */
const COLUMNS = [
  { sort: "number", title: "#", kind: "number", text: ({ id }) => id },
  { sort: "time", title: "Day", text: ({ time }) => isoDate(time) },
  { sort: "symbol", title: "Symbol", text: ({ symbol }) => symbol },
  { sort: "side", title: "Side", text: ({ side }) => (side > 0 ? "Buy" : "Sell") },
  { sort: "shares", title: "Shares", kind: "number", text: ({ shares }) => plainNumber(shares, shares >= 1e6 ? 0 : 4) },
  { sort: "price", title: "Price", kind: "number", text: ({ price }) => plainNumber(price, price < 1 ? 6 : 2) },
  { sort: "value", title: "Value", kind: "number", text: ({ value }) => money(value) },
  { sort: "fee", title: "Fee", kind: "number", text: ({ fee }) => money(fee) },
  { sort: "slippage", title: "Slippage", kind: "number", text: ({ slippageCost }) => money(slippageCost) },
];
const SYMBOL_COLUMN = COLUMNS.findIndex(({ sort }) => sort === "symbol");
/** @type {Wanted} */
const FIRST = { sort: "number", isDescending: false, symbol: "", side: 0 };

/** The orders' table; an order that is chosen is told, and may be chosen from outside. */
export class OrdersTable {
  /** @type {ResultReader | null} */
  #reader = null;
  /** @type {Map<string, number>} */
  #colours = new Map();
  #wanted = { ...FIRST };
  #active = 0;
  /** @type {number | null} */
  #chosen = null;
  #choosing = new Latest();
  #onChoose;
  #count = element("span.soft", { role: "status" });
  #symbol = element("input", { type: "search", "aria-label": "Symbol contains", placeholder: "Symbol", oninput: () => this.#filter() });
  #side = element("select", { "aria-label": "Side", onchange: () => this.#filter() }, element("option", { value: 0 }, "Buys and sells"), element("option", { value: 1 }, "Buys"), element("option", { value: -1 }, "Sells"));
  #head = element("div.order-head", { role: "rowgroup" });
  #grid = element("div.order-grid", { role: "grid", tabindex: 0, "aria-label": "Orders", "aria-colcount": COLUMNS.length, onkeydown: (event) => this.#keyed(event) }, this.#head);
  /** @type {VirtualRows<OrderRow>} */
  #rows;

  /** @param {(order: OrderRow) => void} onChoose */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    const note = element("p.soft.order-note", {}, "Select an order to see it in the chart, or a mark in the chart to see its order here.");
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
    [this.#reader, this.#wanted, this.#active, this.#chosen] = [reader, { ...FIRST }, 0, null];
    [this.#symbol.value, this.#side.value] = ["", "0"];
    this.#drawHead();
    this.#rows.reset();
  }

  /** @param {number} from @param {number} count */
  async #fetch(from, count) {
    const answer = this.#reader ? await this.#reader.rows(this.#wanted, from, count) : { total: 0, rows: [] };
    this.#grid.setAttribute("aria-rowcount", String(answer.total + 1));
    this.#count.textContent = counted(answer.total, "order");
    return answer;
  }

  #filter() {
    this.#choosing.begin();
    const side = /** @type {Wanted["side"]} */ (Number(this.#side.value));
    this.#wanted = { ...this.#wanted, symbol: this.#symbol.value, side };
    this.#active = 0;
    this.#rows.reset();
  }

  /** @param {Wanted["sort"]} sort */
  #sortBy(sort) {
    this.#choosing.begin();
    const isDescending = this.#wanted.sort === sort && !this.#wanted.isDescending;
    this.#wanted = { ...this.#wanted, sort, isDescending };
    this.#active = 0;
    this.#drawHead();
    this.#head.querySelectorAll("button")[COLUMNS.findIndex((column) => column.sort === sort)].focus();
    this.#rows.reset();
  }

  #drawHead() {
    const cells = COLUMNS.map(({ sort, title, kind }, column) => {
      const isSorted = this.#wanted.sort === sort;
      const direction = isSorted ? (this.#wanted.isDescending ? "descending" : "ascending") : "none";
      const arrow = isSorted ? (this.#wanted.isDescending ? " ↓" : " ↑") : "";
      const button = element("button.sort", { type: "button", "data-sort": sort, onclick: () => this.#sortBy(sort) }, title, element("span", { "aria-hidden": "true" }, arrow));
      return element(`div${kind ? `.${kind}` : ""}`, { role: "columnheader", "aria-sort": direction, "aria-colindex": column + 1 }, button);
    });
    fill(this.#head, element("div.order-row", { role: "row", "aria-rowindex": 1 }, ...cells));
  }

  /** @param {OrderRow} order @param {number} number */
  #row(order, number) {
    const cells = COLUMNS.map(({ kind, text, sort }, column) =>
      element(`div${kind ? `.${kind}` : ""}${sort === "side" ? `.${order.side > 0 ? "buy" : "sell"}` : ""}`, { role: "gridcell", "aria-colindex": column + 1 }, text(order)),
    );
    cells[SYMBOL_COLUMN].prepend(coloured(element("span.swatch", { "aria-hidden": "true" }), this.#colours.get(order.symbol) ?? symbolColours([order.symbol]).get(order.symbol)));
    const choose = () => {
      this.#active = number;
      this.#choose(order);
    };
    const row = element("div.order-row", { role: "row", id: `order-row-${number}`, "aria-rowindex": number + 2, "data-order": order.id, onclick: choose }, ...cells);
    row.setAttribute("aria-selected", String(order.place === this.#chosen));
    row.classList.toggle("active", number === this.#active);
    if (number === this.#active) this.#grid.setAttribute("aria-activedescendant", row.id);
    return row;
  }

  /** @param {OrderRow} order */
  #choose(order) {
    this.#choosing.begin();
    this.#chosen = order.place;
    this.#rows.show();
    this.#onChoose(order);
  }

  /**
   * Choose an order from outside.
   *
   * @param {number | null} place null for none
   * @returns {Promise<OrderRow | null>} null when there is none, or something else was chosen or asked for meanwhile
   */
  async choose(place) {
    const signal = this.#choosing.begin();
    this.#chosen = place;
    if (place === null || !this.#reader) {
      this.#rows.show();
      return null;
    }
    let { row, order } = await this.#reader.find(this.#wanted, place);
    if (signal.aborted || !order) return null;
    if (row < 0) {
      // The filter hides it: what was asked for from outside comes first.
      this.#wanted = { ...this.#wanted, symbol: "", side: 0 };
      [this.#symbol.value, this.#side.value] = ["", "0"];
      ({ row } = await this.#reader.find(this.#wanted, place));
    }
    // How many rows there are decides how far it can be scrolled.
    if (!signal.aborted) await this.#rows.show();
    if (signal.aborted) return null;
    this.#active = row;
    this.#rows.reveal(row, true);
    return order;
  }

  /** @param {KeyboardEvent} event */
  async #keyed(event) {
    if (event.target !== this.#grid) return;
    const page = this.#rows.visibleCount;
    const step = new Map([["ArrowDown", 1], ["ArrowUp", -1], ["PageDown", page], ["PageUp", -page], ["Home", -Infinity], ["End", Infinity]]).get(event.key);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const signal = this.#choosing.begin();
      const answer = await this.#reader?.rows(this.#wanted, this.#active, 1);
      if (answer?.rows.length && !signal.aborted) this.#choose(answer.rows[0]);
    } else if (step !== undefined) {
      event.preventDefault();
      this.#active = Math.min(Math.max(this.#active + step, 0), Math.max(this.#rows.total - 1, 0));
      await this.#rows.reveal(this.#active);
      this.#grid.scrollIntoView({ block: "nearest" });
    }
  }
}
