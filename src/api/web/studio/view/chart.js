// The chart of a run: equity with its orders, the fall from the peak, what was held, and plots, above one scale of time.

import { AreaSeries, LineSeries, createChart } from "../vendor/lightweight-charts.js";
import { rebasingFactor } from "../result/benchmark.js";
import { MONEY_FORMAT, chartColours, chartOptions } from "./chart-look.js";
import { plotPanes } from "../result/plots.js";
import { addBenchmark, addDrawdown, addEquity, addHoldings, addPaneNames, addPlots, addSyntheticMark } from "./chart-series.js";
import { ChartRange } from "./chart-range.js";
import { MarksLayer } from "./marks-layer.js";

/** @import { Chart, Series } from "../vendor/lightweight-charts.js" */
/** @import { BenchmarkPoint, Range } from "../types.d.ts" */
/** @import { Loaded } from "../service/result-worker.js" */
/** @import { Plot } from "../result/plots.js" */
/** @import { Selected } from "./selected.js" */

const DAYS_AROUND_ORDER = 45;
const PICK_PIXELS = 14;
const PANE_SHARES = [5, 1.5, 1.5];
const PLOT_SHARE = 1.5;
const PANE_NAMES = ["Equity", "Drawdown", "Holdings (the rest is cash)"];

/**
 * A finished run in the chart.
 *
 * @typedef {object} Drawn
 * @property {Loaded} loaded @property {boolean} isSynthetic
 * @property {Chart} chart @property {ChartRange} range @property {MarksLayer} marks
 * @property {Series<"Candlestick">} equity @property {Series<"Line"> | null} benchmark
 */

/** One chart at a time: `showLive` and `showResult` each start anew. */
export class RunChart {
  #host;
  #react;
  /** @type {Chart | null} */
  #chart = null;
  #size = { width: 800, height: 400 };
  #colours = chartColours();
  /** @type {{series: Series<"Area">, days: number[], points: BenchmarkPoint[]} | null} */
  #live = null;
  /** @type {Drawn | null} */
  #drawn = null;
  /** @type {Selected | null} */
  #selected = null;
  /** Statistics of rolling windows that are shown, by name. @type {string} */
  #rolling = "";
  #isLogarithmic = false;
  #hasBenchmark = true;
  #hasMarks = true;
  #frame = 0;
  /** By what the drawn benchmark differs from the result's, which starts with the initial capital. */
  benchmarkFactor = 1;

  /**
   * @param {HTMLElement} host
   * @param {object} react
   * @param {(index: number | null) => void} react.onHover place of the day under the pointer
   * @param {(order: number) => void} react.onPick place of the first order of the mark that was clicked
   * @param {(range: Range | null) => void} react.onRange days in sight; null for all
   * @param {() => void} react.onRebased the benchmark was moved
   * @param {(areGathered: boolean) => void} react.onMarks whether marks of several days are drawn as one
   */
  constructor(host, react) {
    this.#host = host;
    this.#react = react;
    new ResizeObserver(() => this.#fit()).observe(host);
  }

  /** As large as its place; out of sight, where that is nothing, it stays as it is, and so does what it shows. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (width && height) this.#size = { width, height };
    this.#chart?.resize(this.#size.width, this.#size.height);
  }

  #start() {
    this.#clear();
    this.#colours = chartColours();
    const chart = createChart(this.#host, { ...chartOptions(this.#colours), autoSize: false });
    this.#chart = chart;
    this.#fit();
    return chart;
  }

  #clear() {
    cancelAnimationFrame(this.#frame);
    this.#chart?.remove();
    [this.#chart, this.#live, this.#drawn] = [null, null, null];
  }

  /** Show nothing: a chart that still moves, or waits for its next frame, reports no more. */
  stop() {
    this.#clear();
    this.#selected = null;
  }

  /** An empty chart over the whole window, for a run that has just begun. @param {number[]} days Unix seconds */
  showLive(days) {
    this.#host.style.removeProperty("--plot-panes");
    const chart = this.#start();
    // Empty days keep the scale of time still while the line grows through it. A fixed edge would be at its last day.
    chart.timeScale().applyOptions({ fixRightEdge: false });
    const empty = chart.addSeries(LineSeries, { visible: false, priceFormat: MONEY_FORMAT });
    empty.setData(days.map((time) => ({ time })));
    const { accent, accentWash } = this.#colours;
    const look = { lineColor: accent, topColor: accentWash, bottomColor: "transparent", priceLineVisible: false };
    const series = chart.addSeries(AreaSeries, { ...look, lineWidth: 2, priceFormat: MONEY_FORMAT });
    this.#live = { series, days, points: [] };
    this.growLive([]);
  }

  /** The equity so far. @param {BenchmarkPoint[]} points ascending and unique in time */
  growLive(points) {
    if (!this.#live) return;
    this.#live.points = points;
    this.#live.series.setData(points);
    this.#chart?.timeScale().setVisibleLogicalRange({ from: -0.5, to: this.#live.days.length - 0.5 });
  }

  /** A finished run. @param {Loaded} loaded @param {boolean} isSynthetic */
  showResult(loaded, isSynthetic) {
    this.#selected = null;
    this.#draw(loaded, isSynthetic);
    this.showRange(null);
  }

  /** @param {Loaded} loaded @param {boolean} isSynthetic */
  #draw(loaded, isSynthetic) {
    const chart = this.#start();
    const { candles, depths, holdings, colours } = loaded;
    const range = new ChartRange(chart, candles.time);
    const equity = addEquity(chart, this.#colours, candles);
    const benchmark = loaded.benchmark && addBenchmark(chart, this.#colours, loaded.benchmark);
    addDrawdown(chart, this.#colours, candles.time, depths);
    addHoldings(chart, this.#colours, candles.time, holdings, colours);
    const names = [...PANE_NAMES.slice(0, chart.panes().length), ...this.#addPlots(chart, loaded)];
    const marks = new MarksLayer(equity, this.#colours, loaded.marks);
    marks.select(this.#selected);
    marks.show(this.#hasMarks);
    this.#drawn = { loaded, isSynthetic, chart, range, marks, equity, benchmark };
    this.benchmarkFactor = 1;
    for (const [place, pane] of chart.panes().entries()) {
      pane.setStretchFactor(PANE_SHARES[place] ?? PLOT_SHARE);
      // Room for the names.
      if (place) chart.priceScale("right", place).applyOptions({ scaleMargins: { top: 0.26, bottom: 0.06 } });
    }
    addPaneNames(chart, this.#colours, names);
    if (isSynthetic) addSyntheticMark(chart, this.#colours, this.#size.width);
    chart.subscribeCrosshairMove(({ time }) => this.#react.onHover(time === undefined ? null : range.placeOf(time)));
    chart.subscribeClick(({ point }) => point && this.#clicked(point.x));
    chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.#rangeChanged());
    this.setLogarithmic(this.#isLogarithmic);
    this.setBenchmark(this.#hasBenchmark);
  }

  /** @param {Chart} chart @param {Loaded} loaded @returns {string[]} names of the panes */
  #addPlots(chart, { candles, plots, rolling }) {
    const panes = plotPanes(plots);
    for (const pane of panes) addPlots(chart, this.#colours, candles.time, pane, (plot) => plots.indexOf(plot));
    const chosen = rolling[this.#rolling] ?? [];
    if (chosen.length) addPlots(chart, this.#colours, candles.time, chosen, (plot) => chosen.indexOf(plot));
    const names = panes.map((pane) => pane.map(({ name }) => name).join(", "));
    if (chosen.length) names.push(`Rolling: ${this.#rolling}`);
    this.#host.style.setProperty("--plot-panes", String(names.length));
    this.#fit();
    return names;
  }

  /** Show a statistic of rolling windows below everything else; "" for none. @param {string} name */
  setRolling(name) {
    this.#rolling = name;
    this.repaint();
  }

  /** @param {number} x */
  #clicked(x) {
    if (!this.#drawn || !this.#hasMarks) return;
    const scale = this.#drawn.chart.timeScale();
    let [order, nearest] = [-1, PICK_PIXELS];
    for (const { time, first } of this.#drawn.loaded.marks) {
      const pixels = Math.abs((scale.timeToCoordinate(time) ?? Infinity) - x);
      if (first >= 0 && pixels < nearest) [order, nearest] = [first, pixels];
    }
    if (order >= 0) this.#react.onPick(order);
  }

  #rangeChanged() {
    if (!this.#drawn) return;
    this.#drawMarks();
    // Once a frame, however often the range changes while the pointer moves.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#rebase());
    this.#react.onRange(this.#drawn.range.days);
  }

  #rebase() {
    const { benchmark, loaded, range } = this.#drawn ?? {};
    if (!benchmark || !loaded?.benchmark || !range) return;
    const factor = rebasingFactor(loaded.benchmark, loaded.benchmarkFrom, loaded.candles.close, range.first);
    if (factor === this.benchmarkFactor) return;
    this.benchmarkFactor = factor;
    benchmark.setData(loaded.benchmark.map(({ time, value }) => ({ time, value: value * factor })));
    this.#react.onRebased();
  }

  #drawMarks() {
    if (!this.#drawn) return;
    const { chart, marks } = this.#drawn;
    const range = chart.timeScale().getVisibleRange();
    if (!range) return;
    marks.draw(range, chart.timeScale().width());
    this.#react.onMarks(marks.areGathered);
  }

  /**
   * Mark an order or a trade and bring it into sight; null takes the mark away.
   *
   * @param {Selected | null} selected @param {boolean} isMoved whether the chart moves
   */
  select(selected, isMoved = true) {
    this.#selected = selected;
    if (!this.#drawn) return;
    const { chart, range, marks, equity, loaded } = this.#drawn;
    marks.select(selected);
    this.#drawMarks();
    if (!selected) return chart.clearCrosshairPosition();
    const place = range.placeOf(selected.to);
    if (isMoved) range.showPlaces(range.placeOf(selected.from) - DAYS_AROUND_ORDER, place + DAYS_AROUND_ORDER);
    // The scale of time moves with the next frame; a crosshair set before that would stand elsewhere.
    requestAnimationFrame(() => {
      if (this.#selected !== selected || this.#chart !== chart) return;
      chart.setCrosshairPosition(loaded.candles.close[place], selected.to, equity);
      this.#react.onHover(place);
    });
  }

  /** Days in sight, and what shows others; null while there is no finished run. @returns {ChartRange | null} */
  get range() {
    return this.#drawn?.range ?? null;
  }

  /** @param {Range | null} days null for all */
  showRange(days) {
    if (days) this.range?.show(days);
    else this.range?.showAll();
  }

  /** @param {boolean} isOn */
  setLogarithmic(isOn) {
    this.#isLogarithmic = isOn;
    this.#chart?.priceScale("right", 0).applyOptions({ mode: isOn ? 1 : 0 });
  }

  /** @param {boolean} isOn */
  setMarks(isOn) {
    this.#hasMarks = isOn;
    this.#drawn?.marks.show(isOn);
    this.#drawMarks();
  }

  /** @param {boolean} isOn */
  setBenchmark(isOn) {
    this.#hasBenchmark = isOn;
    this.#drawn?.benchmark?.applyOptions({ visible: isOn });
  }

  /** The same in other colours. */
  repaint() {
    if (this.#live) {
      const { days, points } = this.#live;
      this.showLive(days);
      this.growLive(points);
    } else if (this.#drawn) {
      const { loaded, isSynthetic, chart } = this.#drawn;
      const logical = chart.timeScale().getVisibleLogicalRange();
      this.#draw(loaded, isSynthetic);
      if (logical) this.range?.showPlaces(logical.from, logical.to);
    }
  }
}
