// Runs beside each other: equity from one start, metrics with their differences, and what differs in their inputs.

import { LineSeries, createChart } from "../vendor/lightweight-charts.js";
import { alignedGrowth, metricRows } from "../result/comparison.js";
import { explain, getRun } from "../service/api.js";
import { Problem } from "../service/problem.js";
import { ResultReader } from "../service/result-reader.js";
import { addressOf } from "../state/address.js";
import { Latest } from "../state/latest.js";
import { isoDate, percent, plainNumber, runName, shortHash } from "../text/format.js";
import { chartColours, chartOptions } from "./chart-look.js";
import { element, fill, followedHere } from "./dom.js";
import { differenceText, metricText } from "./metrics.js";
import { problemBox } from "./problem-box.js";
import { isSynthetic, syntheticBanner } from "./result-head.js";
import { onThemeChange } from "./theme.js";

/** @import { Chart } from "../vendor/lightweight-charts.js" */
/** @import { Candles } from "../result/columns.js" */
/** @import { BenchmarkPoint, Explanation, Facts, Metric, RunSummary } from "../types.d.ts" */

/** @typedef {{run: RunSummary, facts: Facts, candles: Candles, initialCapital: number}} Compared one run */

/** A comparison of two or more runs; the first is what the others are measured against. */
export class CompareView {
  #catalogue;
  #onOpen;
  /** @type {Chart | null} */
  #chart = null;
  #host = element("div.chart.compare-chart", { role: "img" });
  /** @type {Compared[]} */
  #compared = [];
  #growth = alignedGrowth([]);
  #place = new Latest();

  /** @param {Metric[]} catalogue @param {(hash: string) => void} onOpen */
  constructor(catalogue, onOpen) {
    this.#catalogue = catalogue;
    this.#onOpen = onOpen;
    this.view = element("section.compare", { "aria-label": "Comparison" });
    onThemeChange(() => this.#draw());
  }

  /** @param {string[]} hashes */
  async show(hashes) {
    const signal = this.#place.begin();
    fill(this.view, element("h2", {}, "Comparison"), element("progress.waiting", { "aria-label": "Reading the runs" }));
    try {
      const compared = await Promise.all(hashes.map((hash) => loadedRun(hash)));
      const explained = await Promise.all(hashes.slice(1).map((hash) => explain(hash, hashes[0])));
      if (!signal.aborted) this.#showAll(compared, explained);
    } catch (problem) {
      if (!signal.aborted) fill(this.view, element("h2", {}, "Comparison"), problemBox(problem, () => this.show(hashes)));
    }
  }

  /** @param {Compared[]} compared @param {Explanation[]} explained */
  #showAll(compared, explained) {
    this.#compared = compared;
    this.#growth = alignedGrowth(compared);
    const legend = compared.map(({ run }, place) => element(`li.hue-${(place % 8) + 1}`, {}, this.#link(run)));
    this.#host.setAttribute("aria-label", compared.map(({ run }, place) => `${nameOf(run)}: 1.00 became ${plainNumber(this.#growth.lines[place].at(-1)?.value)}`).join("; "));
    fill(
      this.view,
      element("h2", {}, "Comparison"),
      compared.some(({ facts }) => isSynthetic(facts)) && syntheticBanner(),
      element("p.soft", {}, "Growth of 1.00. Differences are from the first run."),
      this.#windowNote(),
      element("ul.holdings-legend", { "aria-label": "Runs" }, ...legend),
      this.#host,
      element("div.compare-parts", {}, this.#metricTable(), element("section", { "aria-label": "Inputs that differ" }, element("h3", {}, "Inputs that differ"), ...explained.map((found, place) => differences(found, compared, place + 1)))),
    );
    this.#draw();
  }

  /** What is compared where the runs do not cover the same days. */
  #windowNote() {
    const { areSame, first, last } = this.#growth;
    if (areSame) return null;
    const windows = this.#compared.map(({ run, candles }) => element("li", {}, `${nameOf(run)}: ${isoDate(candles.time[0])} to ${isoDate(candles.time[candles.time.length - 1])}`));
    const shared =
      first > last
        ? "They share no day, so the chart shows each run over its own window."
        : `The chart shows the days they share, ${isoDate(first)} to ${isoDate(last)}, and every run starts there at 1.00.`;
    const metrics = "Each metric below is of the run's whole window, so differences may come from the windows alone.";
    return element("section.warnings", { "aria-label": "Different windows" }, element("h3", {}, "These runs cover different windows"), element("ul", {}, ...windows), element("p", {}, `${shared} ${metrics}`));
  }

  /** @param {RunSummary} run */
  #link(run) {
    const open = followedHere(() => this.#onOpen(run.run_hash));
    return element("a", { href: addressOf({ page: "studio", run: run.run_hash }), onclick: open }, nameOf(run));
  }

  #draw() {
    if (!this.#compared.length || !this.#host.isConnected) return;
    this.#chart?.remove();
    const colours = chartColours();
    const options = chartOptions(colours);
    const chart = createChart(this.#host, options);
    for (const [place, points] of this.#growth.lines.entries()) {
      const look = { color: colours.hues[place % 8], priceLineVisible: false };
      chart.addSeries(LineSeries, { ...look, lineWidth: 2, priceFormat: { type: "price", precision: 2, minMove: 0.01 } }).setData(points);
    }
    chart.timeScale().fitContent();
    this.#chart = chart;
  }

  #metricTable() {
    const metrics = this.#compared.map(({ facts }) => facts.metrics);
    const rows = metricRows(this.#catalogue, metrics).map(({ metric, values, differences: changes }) => {
      const cells = values.flatMap((value, place) => [
        element("td.number", {}, metricText(metric, value)),
        place > 0 && element("td.number.soft", {}, differenceText(metric, changes[place])),
      ]);
      return element("tr", {}, element("th", { scope: "row", title: metric.explanation }, metric.label), ...cells);
    });
    const shared = this.#sharedReturns();
    const heads = this.#compared.flatMap(({ run }, place) => [
      element("th", { scope: "col" }, element(`span.swatch.hue-${(place % 8) + 1}`), nameOf(run)),
      place > 0 && element("th", { scope: "col" }, "Difference"),
    ]);
    const head = element("tr", {}, element("th", { scope: "col" }, "Metric"), ...heads);
    return element("div.table-scroll", { tabindex: 0, role: "region", "aria-label": "Metrics side by side" }, element("table.plain.compare-table", {}, element("thead", {}, head), element("tbody", {}, shared, ...rows)));
  }

  /** Total returns over the shared days; nothing where these are all days, or none. */
  #sharedReturns() {
    const { areSame, first, last, lines } = this.#growth;
    if (areSame || first > last || lines.some((line) => !line.length)) return null;
    const returns = lines.map((line) => line[line.length - 1].value - 1);
    const cells = returns.flatMap((value, place) => [
      element("td.number", {}, percent(value)),
      place > 0 && element("td.number.soft", {}, differenceText({ unit: "fraction" }, value - returns[0])),
    ]);
    return element("tr", {}, element("th", { scope: "row", title: `${isoDate(first)} to ${isoDate(last)}` }, "Total return, shared days"), ...cells);
  }
}

/** One run with its equity; the worker that read it is let go. @param {string} hash @returns {Promise<Compared>} */
async function loadedRun(hash) {
  const reader = new ResultReader();
  try {
    const [run, loaded] = await Promise.all([getRun(hash), reader.load(hash)]).catch((problem) => {
      throw problem.status === 404 ? new Problem("One of these runs no longer exists.", { sentences: [hash] }) : problem;
    });
    return { run, facts: loaded.facts, candles: loaded.candles, initialCapital: loaded.facts.parameters.starting_equity };
  } finally {
    reader.close();
  }
}

/** @param {Explanation} found @param {Compared[]} compared @param {number} place */
function differences(found, compared, place) {
  const title = element("p.compare-pair", {}, element("strong", {}, nameOf(compared[place].run)), " against ", element("strong", {}, nameOf(compared[0].run)));
  if (!found.differences.length) return element("div", {}, title, element("p.soft", {}, "No differences."));
  const rows = found.differences.map(({ ingredient, this: own, other }) =>
    element("tr", {}, element("th", { scope: "row" }, ingredient.replaceAll("_", " ")), element("td.mono", {}, ingredientText(own)), element("td.mono", {}, ingredientText(other))),
  );
  const head = element("tr", {}, ...["Input", "This run", "First run"].map((text) => element("th", { scope: "col" }, text)));
  const code = found.code_difference ? element("pre.code-difference", { tabindex: 0, "aria-label": "Difference of the code" }, ...codeLines(found.code_difference)) : null;
  const table = element("table.plain.difference-table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div", {}, title, table, code);
}

/** @param {unknown} value */
function ingredientText(value) {
  if (value === null || value === undefined) return "none";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /^[0-9a-f]{64}$/.test(text) ? shortHash(text) : text;
}

/** @param {string} difference */
function codeLines(difference) {
  return difference.split("\n").map((line) => {
    const kind = /^\+(?!\+\+)/.test(line) ? ".added" : /^-(?!--)/.test(line) ? ".removed" : "";
    return element(`span${kind}`, {}, `${line}\n`);
  });
}

/** @param {RunSummary} run */
function nameOf(run) {
  return `${runName(run)} (${shortHash(run.run_hash)})`;
}
