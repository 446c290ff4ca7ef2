// The chart with what stands around it: what is under the pointer, ranges to choose, and its keys.

import { isoDate, money, percent, plainNumber, tone, withSign } from "../text/format.js";
import { RunChart } from "./chart.js";
import { element, fill } from "./dom.js";
import { onThemeChange } from "./theme.js";

const RANGES = { "1M": 31, "6M": 183, "1Y": 366, "5Y": 1827 };
const HELP = "Arrow keys move, plus and minus zoom, Home shows all.";

/** The chart of one result at a time. */
export class ChartPanel {
  #loaded = null;
  #order = null;
  #legend = element("div.legend.numbers");
  #holdings = element("ul.holdings-legend", { "aria-label": "Colours of the holdings" });
  #benchmark = element("input", { type: "checkbox", checked: true, onchange: () => this.chart.setBenchmark(this.#benchmark.checked) });
  #benchmarkLabel = element("label.check", {}, this.#benchmark, element("span"));
  #gathered = element("p.soft.gathered-note", { hidden: true }, "Marks that would lie on each other are drawn as one: zoom in to tell them apart.");
  #tools;
  #host;

  /** @param {{onPick: (order: number) => void, onRange: (range: [number, number] | null) => void}} react */
  constructor({ onPick, onRange }) {
    const keys = { role: "application", "aria-roledescription": "chart", tabindex: 0, onkeydown: (event) => this.#keyed(event) };
    this.#host = element("div.chart", { ...keys, "aria-describedby": "chart-help" });
    this.#tools = this.#makeTools();
    const help = element("p.visually-hidden", { id: "chart-help" }, HELP);
    const below = element("div.chart-foot", {}, this.#holdings, this.#gathered);
    this.view = element("section.chart-panel", { "aria-label": "Chart" }, element("div.chart-head", {}, this.#legend, this.#tools), this.#host, below, help);
    const onMarks = (areGathered) => (this.#gathered.hidden = !areGathered);
    this.chart = new RunChart(this.#host, { onHover: (place) => this.#hover(place), onPick, onRange, onMarks });
    onThemeChange(() => this.chart.repaint());
  }

  #makeTools() {
    const ranges = Object.entries(RANGES).map(([name, days]) => element("button.quiet", { type: "button", onclick: () => this.chart.showLast(days) }, name));
    const all = element("button.quiet", { type: "button", onclick: () => this.chart.showAll() }, "All");
    const log = element("input", { type: "checkbox", onchange: ({ target }) => this.chart.setLogarithmic(target.checked) });
    return element("div.chart-tools", {}, element("div.ranges", { role: "group", "aria-label": "Range" }, ...ranges, all), element("label.check", {}, log, "Log"), this.#benchmarkLabel);
  }

  /** Nothing is shown, and nothing is told any more. */
  stop() {
    [this.#loaded, this.#order] = [null, null];
    this.chart.stop();
  }

  /** @param {number[]} days of the window, Unix seconds */
  showLive(days) {
    this.#loaded = null;
    this.#tools.hidden = this.#gathered.hidden = true;
    fill(this.#holdings);
    fill(this.#legend, element("span.soft", {}, "Equity so far, not audited yet"));
    this.#host.setAttribute("aria-label", "Equity so far");
    this.#host.classList.add("is-live");
    this.chart.showLive(days);
  }

  /** @param {any} loaded @param {boolean} isSynthetic */
  showResult(loaded, isSynthetic) {
    [this.#loaded, this.#order] = [loaded, null];
    this.#tools.hidden = false;
    this.#host.classList.remove("is-live");
    this.#benchmarkLabel.hidden = !loaded.benchmark;
    this.#benchmarkLabel.lastChild.textContent = loaded.facts.parameters.benchmark ?? "";
    this.#host.setAttribute("aria-label", summary(loaded));
    fill(this.#holdings, ...loaded.holdings.names.map((name, place) => element(`li.hue-${place + 1}`, {}, name)));
    this.chart.showResult(loaded, isSynthetic);
    this.#hover(null);
  }

  /** Show an order; null for none. @param {import("../result/order-view.js").OrderRow | null} order @param {boolean} [isMoved] whether the chart goes there */
  select(order, isMoved = true) {
    this.#order = order;
    this.chart.select(order, isMoved);
    if (!order) this.#hover(null);
  }

  #hover(place) {
    if (!this.#loaded) return;
    const { candles, benchmark, benchmarkFrom, depths, facts } = this.#loaded;
    const at = place ?? candles.time.length - 1;
    const before = at ? candles.close[at - 1] : facts.parameters.starting_equity;
    const day = candles.close[at] / before - 1;
    fill(
      this.#legend,
      element("span.legend-day", {}, isoDate(candles.time[at])),
      pair("Equity", money(candles.close[at])),
      pair("Day", withSign(percent, day), tone(day)),
      benchmark && pair(facts.parameters.benchmark, money(benchmark[at - benchmarkFrom]?.value), "benchmark"),
      pair("Drawdown", percent(-depths[at]), tone(-depths[at])),
      this.#order && element("span.legend-order", {}, orderText(this.#order)),
    );
  }

  #keyed(event) {
    const moves = { ArrowLeft: [-0.2], ArrowRight: [0.2], "+": [0, 1.5], "=": [0, 1.5], "-": [0, 1 / 1.5] };
    if (event.key === "Home" && this.#loaded) this.chart.showAll();
    else if (event.key in moves) this.chart.move(...moves[event.key]);
    else return;
    event.preventDefault();
  }
}

function pair(name, value, look = "") {
  return element("span", {}, `${name} `, element(`strong${look && `.${look}`}`, {}, value));
}

function orderText({ id, side, shares, symbol, price, time }) {
  return `● Order ${id}: ${side > 0 ? "buy" : "sell"} ${plainNumber(shares)} ${symbol} at ${plainNumber(price)} on ${isoDate(time)}`;
}

/** The chart in a sentence, for who cannot see it. */
function summary({ candles, facts, worst, marks }) {
  const last = candles.time.length - 1;
  const fall = worst.length ? ` Deepest fall ${percent(worst[0].depth)}.` : "";
  return `Equity from ${money(facts.parameters.starting_equity)} to ${money(candles.close[last])} between ${isoDate(candles.time[0])} and ${isoDate(candles.time[last])}.${fall} ${marks.length} marks of orders.`;
}
