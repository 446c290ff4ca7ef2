// The chart with what stands around it: what is under the pointer, ranges to choose, and its keys.

import { counted, isoDate, money, percent, plotNumber, tone, withSign } from "../text/format.js";
import { RunChart } from "./chart.js";
import { coloured, element, fill } from "./dom.js";
import { EXIT_LOOKS } from "./marks-layer.js";
import { reasonText } from "./selected.js";
import { onThemeChange } from "./theme.js";

/** @import { ExitReason, Range } from "../types.d.ts" */
/** @import { Loaded } from "../service/result-worker.js" */
/** @import { Plot } from "../result/plots.js" */
/** @import { Selected } from "./selected.js" */

/** Days of the calendar by the name of a button. @type {Record<string, number>} */
const RANGES = { "1M": 31, "6M": 183, "1Y": 366, "5Y": 1827 };
const ALL = "All";
/** By key: a share of the width, and by how much less is shown. */
const MOVES = new Map([
  ["ArrowLeft", { by: -0.2, zoom: 1 }],
  ["ArrowRight", { by: 0.2, zoom: 1 }],
  ["+", { by: 0, zoom: 1.5 }],
  ["=", { by: 0, zoom: 1.5 }],
  ["-", { by: 0, zoom: 1 / 1.5 }],
]);
const HELP = "Arrow keys move, plus and minus zoom, Home shows all.";

/** The chart of one result at a time. */
export class ChartPanel {
  /** @type {Loaded | null} */
  #loaded = null;
  /** @type {Selected | null} */
  #selected = null;
  #legend = element("div.legend.numbers");
  #holdings = element("ul.holdings-legend", { "aria-label": "Colours of the holdings" });
  #exits = element("ul.holdings-legend", { "aria-label": "Exits without a signal" });
  #plots = element("ul.holdings-legend.numbers", { "aria-label": "Plots" });
  #rolling = element("select", { "aria-label": "Rolling statistic", onchange: () => this.#showRolling() });
  #benchmark = element("input", { type: "checkbox", checked: true, onchange: () => this.chart.setBenchmark(this.#benchmark.checked) });
  #benchmarkName = element("span");
  #benchmarkLabel = element("label.check", {}, this.#benchmark, this.#benchmarkName);
  #gathered = element("p.soft.gathered-note", { hidden: true }, "Nearby orders share a mark. Zoom in to see each of them.");
  /** @type {Map<string, HTMLButtonElement>} */
  #ranges = new Map();
  #tools;
  #host;

  /** @param {{onPick: (order: number) => void, onRange: (range: Range | null) => void}} react */
  constructor({ onPick, onRange }) {
    this.#host = element("div.chart", { role: "application", "aria-roledescription": "chart", tabindex: 0, onkeydown: (event) => this.#keyed(event), "aria-describedby": "chart-help" });
    this.#tools = this.#makeTools();
    const help = element("p.visually-hidden", { id: "chart-help" }, HELP);
    const below = element("div.chart-foot", {}, this.#holdings, this.#exits, this.#plots, this.#gathered);
    this.view = element("section.chart-panel", { "aria-label": "Chart" }, element("div.chart-head", {}, this.#legend, this.#tools), this.#host, below, help);
    this.chart = new RunChart(this.#host, {
      onHover: (place) => this.#hover(place),
      onPick,
      onRange: (range) => {
        this.#markRange(range);
        onRange(range);
      },
      onMarks: (areGathered) => {
        this.#gathered.hidden = !areGathered;
      },
      onRebased: () => this.#hover(null),
    });
    onThemeChange(() => this.chart.repaint());
  }

  #makeTools() {
    for (const name of [...Object.keys(RANGES), ALL]) {
      this.#ranges.set(name, element("button.quiet", { type: "button", "aria-pressed": "false", onclick: () => this.#showRange(name) }, name));
    }
    const log = element("input", { type: "checkbox", onchange: () => this.chart.setLogarithmic(log.checked) });
    const marks = element("input", { type: "checkbox", checked: true, onchange: () => this.chart.setMarks(marks.checked) });
    return element("div.chart-tools", {}, element("div.ranges", { role: "group", "aria-label": "Range" }, ...this.#ranges.values()), element("label.check", {}, log, "Log scale"), element("label.check", {}, marks, "Order marks"), this.#benchmarkLabel, this.#rolling);
  }

  #showRolling() {
    this.chart.setRolling(this.#rolling.value);
    this.#hover(null);
  }

  /** @param {string} name */
  #showRange(name) {
    this.chart.showRange(this.#daysOf(name));
  }

  /** The days that a button shows; null for all. @param {string} name */
  #daysOf(name) {
    return name === ALL ? null : (this.chart.range?.lastDays(RANGES[name]) ?? null);
  }

  /** Which button says what is in sight. @param {Range | null} range */
  #markRange(range) {
    for (const [name, button] of this.#ranges) {
      button.setAttribute("aria-pressed", String(!button.hidden && String(this.#daysOf(name)) === String(range)));
    }
  }

  /** Show nothing, and report nothing more. */
  stop() {
    [this.#loaded, this.#selected] = [null, null];
    this.chart.stop();
  }

  /** @param {number[]} days of the window, Unix seconds @param {string} [name] of what is shown */
  showLive(days, name = "Equity so far, not audited yet") {
    this.#loaded = null;
    this.#tools.hidden = this.#gathered.hidden = true;
    for (const legend of [this.#holdings, this.#exits, this.#plots]) fill(legend);
    fill(this.#legend, element("span.soft", {}, name));
    this.#host.setAttribute("aria-label", name);
    this.#host.classList.add("is-live");
    this.chart.showLive(days);
  }

  /** @param {Loaded} loaded @param {boolean} isSynthetic */
  showResult(loaded, isSynthetic) {
    [this.#loaded, this.#selected] = [loaded, null];
    this.#tools.hidden = false;
    this.#host.classList.remove("is-live");
    this.#benchmarkLabel.hidden = !loaded.benchmark;
    this.#benchmarkName.textContent = loaded.facts.parameters.benchmark ?? "";
    this.#host.setAttribute("aria-label", summary(loaded));
    fill(this.#holdings, ...loaded.holdings.names.map((name) => coloured(element("li", {}, name), loaded.colours.get(name))));
    fill(this.#exits, ...exitLegend(loaded));
    const chosen = this.#rolling.value;
    const rolling = Object.keys(loaded.rolling).filter((name) => loaded.rolling[name].length);
    fill(this.#rolling, element("option", { value: "" }, "Rolling: none"), ...rolling.map((name) => element("option", { value: name }, `Rolling: ${name}`)));
    this.#rolling.value = rolling.includes(chosen) ? chosen : "";
    this.#rolling.hidden = !rolling.length;
    this.chart.showResult(loaded, isSynthetic);
    // A range that is as long as the run, or longer, is what "All" shows.
    for (const [name, button] of this.#ranges) button.hidden = name !== ALL && this.#daysOf(name) === null;
    this.#markRange(null);
    this.#hover(null);
  }

  /** Show an order or a trade; null for none. @param {Selected | null} selected @param {boolean} [isMoved] whether the chart goes there */
  select(selected, isMoved = true) {
    this.#selected = selected;
    this.chart.select(selected, isMoved);
    if (!selected) this.#hover(null);
  }

  /** @param {number | null} place of a day; null for the last */
  #hover(place) {
    if (!this.#loaded) return;
    const { candles, benchmark, benchmarkFrom, depths, facts, plots, rolling } = this.#loaded;
    const at = place ?? candles.time.length - 1;
    const before = at ? candles.close[at - 1] : facts.parameters.starting_equity;
    const day = candles.close[at] / before - 1;
    fill(
      this.#legend,
      element("span.legend-day", {}, isoDate(candles.time[at])),
      pair("Equity", money(candles.close[at])),
      pair("Day", withSign(percent, day), tone(day)),
      benchmark && pair(`${facts.parameters.benchmark}${this.chart.benchmarkFactor === 1 ? "" : ", rebased"}`, money((benchmark[at - benchmarkFrom]?.value ?? NaN) * this.chart.benchmarkFactor), "benchmark"),
      pair("Drawdown", percent(-depths[at]), tone(-depths[at])),
      this.#selected && element("span.legend-order", {}, this.#selected.text),
    );
    fill(this.#plots, ...plotLegend(plots, at), ...plotLegend(rolling[this.#rolling.value] ?? [], at));
  }

  /** @param {KeyboardEvent} event */
  #keyed(event) {
    const move = MOVES.get(event.key);
    if (event.key === "Home" && this.#loaded) this.chart.showRange(null);
    else if (move) this.chart.range?.move(move.by, move.zoom);
    else return;
    event.preventDefault();
  }
}

/** @param {string} name @param {string} value @param {string} [look] */
function pair(name, value, look = "") {
  return element("span", {}, `${name} `, element(`strong${look && `.${look}`}`, {}, value));
}

/** What the squares in the chart stand for. @param {Loaded} loaded */
function exitLegend({ marks }) {
  return Object.entries(EXIT_LOOKS)
    .filter(([reason]) => marks.some((mark) => mark.reason === reason))
    .map(([reason, [letters, hue]]) => element(`li.hue-${hue + 1}`, {}, `${letters} ${reasonText(/** @type {ExitReason} */ (reason))}`));
}

/** Plots by name with their values on a day. @param {Plot[]} plots @param {number} at place of the day */
function plotLegend(plots, at) {
  return plots.map(({ name, values }, number) => element(`li.hue-${(number % 8) + 1}`, {}, `${name} `, element("strong", {}, plotNumber(values[at]))));
}

/** The chart in a sentence, for people who cannot see it. @param {Loaded} loaded */
function summary({ candles, facts, worst, marks }) {
  const last = candles.time.length - 1;
  const fall = worst.length ? ` Maximum drawdown ${percent(worst[0].depth)}.` : "";
  return `Equity from ${money(facts.parameters.starting_equity)} to ${money(candles.close[last])} between ${isoDate(candles.time[0])} and ${isoDate(candles.time[last])}.${fall} Orders on ${counted(new Set(marks.map(({ time }) => time)).size, "day")}.`;
}
