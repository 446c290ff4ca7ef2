// The chart of a run: equity with its orders, the fall from the peak, and what was held, above one scale of time.

import { AreaSeries, LineSeries, createChart } from "../vendor/lightweight-charts.js";
import { rebasingFactor } from "../result/benchmark.js";
import { MONEY_FORMAT, chartColours, chartOptions } from "./chart-look.js";
import { addBenchmark, addDrawdown, addEquity, addHoldings, addPaneNames, addSyntheticMark } from "./chart-series.js";
import { ChartRange } from "./chart-range.js";
import { MarksLayer } from "./marks-layer.js";

const DAYS_AROUND_ORDER = 45;
const PICK_PIXELS = 14;
const PANE_SHARES = [5, 1.5, 1.5];
const PANE_NAMES = ["Equity", "Drawdown", "Holdings (the rest is cash)"];

/** One chart at a time: `showLive` and `showResult` each start anew. */
export class RunChart {
  #host;
  #react;
  #chart = null;
  #size = { width: 800, height: 400 };
  #colours = chartColours();
  #live = null;
  #liveDays = [];
  #livePoints = [];
  #range = null;
  #equity = null;
  #benchmark = null;
  #marks = null;
  #loaded = null;
  #selected = null;
  #isSynthetic = false;
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
   * @param {(range: [number, number] | null) => void} react.onRange days in sight; null for all
   * @param {() => void} react.onRebased the benchmark was moved
   * @param {(areGathered: boolean) => void} react.onMarks whether marks of several days are drawn as one
   */
  constructor(host, react) {
    [this.#host, this.#react] = [host, react];
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
    this.#chart = createChart(this.#host, { ...chartOptions(this.#colours), autoSize: false });
    this.#fit();
  }

  #clear() {
    cancelAnimationFrame(this.#frame);
    this.#chart?.remove();
    [this.#chart, this.#live, this.#range, this.#equity, this.#benchmark, this.#marks] = [null, null, null, null, null, null];
  }

  /** Nothing is shown: a chart that still moves, or waits for its next frame, tells nobody. */
  stop() {
    this.#clear();
    [this.#loaded, this.#selected] = [null, null];
  }

  /** An empty chart over the whole window, for a run that has just begun. @param {number[]} days Unix seconds */
  showLive(days) {
    this.#loaded = null;
    this.#start();
    // Empty days keep the scale of time still while the line grows through it.
    const empty = this.#chart.addSeries(LineSeries, { visible: false, priceFormat: MONEY_FORMAT });
    empty.setData(days.map((time) => ({ time })));
    const { accent, accentWash } = this.#colours;
    const look = { lineColor: accent, topColor: accentWash, bottomColor: "transparent", lineWidth: 2 };
    this.#live = this.#chart.addSeries(AreaSeries, { ...look, priceLineVisible: false, priceFormat: MONEY_FORMAT });
    this.#liveDays = days;
    this.growLive([]);
  }

  /** The equity so far. @param {{time: number, value: number}[]} points ascending and unique in time */
  growLive(points) {
    if (!this.#live) return;
    this.#livePoints = points;
    this.#live.setData(points);
    this.#chart.timeScale().setVisibleLogicalRange({ from: -0.5, to: this.#liveDays.length - 0.5 });
  }

  /** A finished run. @param {any} loaded see load() of service/result-worker.js @param {boolean} isSynthetic */
  showResult(loaded, isSynthetic) {
    [this.#loaded, this.#isSynthetic, this.#selected] = [loaded, isSynthetic, null];
    this.#draw();
    this.showRange(null);
  }

  #draw() {
    this.#start();
    const { candles, benchmark, depths, holdings, marks, colours } = this.#loaded;
    this.#range = new ChartRange(this.#chart, candles.time);
    this.#equity = addEquity(this.#chart, this.#colours, candles);
    if (benchmark) this.#benchmark = addBenchmark(this.#chart, this.#colours, benchmark);
    addDrawdown(this.#chart, this.#colours, candles.time, depths);
    addHoldings(this.#chart, this.#colours, candles.time, holdings, colours);
    this.#marks = new MarksLayer(this.#equity, this.#colours, marks);
    this.#marks.select(this.#selected);
    this.#marks.show(this.#hasMarks);
    this.benchmarkFactor = 1;
    this.#chart.panes().forEach((pane, place) => pane.setStretchFactor(PANE_SHARES[place]));
    addPaneNames(this.#chart, this.#colours, PANE_NAMES);
    // Room for the names.
    for (const pane of this.#chart.panes().keys()) if (pane) this.#chart.priceScale("right", pane).applyOptions({ scaleMargins: { top: 0.26, bottom: 0.06 } });
    if (this.#isSynthetic) addSyntheticMark(this.#chart, this.#colours, this.#size.width);
    this.#chart.subscribeCrosshairMove(({ time }) => this.#react.onHover(time === undefined ? null : this.#range.placeOf(time)));
    this.#chart.subscribeClick((click) => this.#clicked(click));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.#rangeChanged());
    this.setLogarithmic(this.#isLogarithmic);
    this.setBenchmark(this.#hasBenchmark);
  }

  #clicked({ point }) {
    if (!point || !this.#loaded || !this.#hasMarks) return;
    const scale = this.#chart.timeScale();
    const near = { order: null, pixels: PICK_PIXELS };
    for (const { time, first } of this.#loaded.marks) {
      const pixels = Math.abs(scale.timeToCoordinate(time) - point.x);
      if (pixels < near.pixels) Object.assign(near, { order: first, pixels });
    }
    if (near.order !== null) this.#react.onPick(near.order);
  }

  #rangeChanged() {
    if (!this.#loaded) return;
    this.#drawMarks();
    // Once a frame, however often the range changes while the pointer moves.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#rebase());
    this.#react.onRange(this.#range.days);
  }

  #rebase() {
    if (!this.#benchmark) return;
    const { benchmark, benchmarkFrom, candles } = this.#loaded;
    const factor = rebasingFactor(benchmark, benchmarkFrom, candles.close, this.#range.first);
    if (factor === this.benchmarkFactor) return;
    this.benchmarkFactor = factor;
    this.#benchmark.setData(benchmark.map(({ time, value }) => ({ time, value: value * factor })));
    this.#react.onRebased();
  }

  #drawMarks() {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleRange();
    if (!range) return;
    this.#marks.draw(range, scale.width());
    this.#react.onMarks(this.#marks.areGathered);
  }

  /**
   * Mark an order and bring it into sight; null takes the mark away.
   *
   * @param {import("../result/order-view.js").OrderRow | null} order @param {boolean} isMoved whether the chart moves
   */
  select(order, isMoved = true) {
    this.#selected = order;
    if (!this.#loaded) return;
    this.#marks.select(order);
    this.#drawMarks();
    if (!order) return this.#chart.clearCrosshairPosition();
    const place = this.#range.placeOf(order.time);
    if (isMoved) this.#range.showPlaces(place - DAYS_AROUND_ORDER, place + DAYS_AROUND_ORDER);
    // The scale of time moves with the next frame; a crosshair set before that would stand elsewhere.
    requestAnimationFrame(() => {
      if (this.#selected !== order || !this.#chart) return;
      this.#chart.setCrosshairPosition(this.#loaded.candles.close[place], order.time, this.#equity);
      this.#react.onHover(place);
    });
  }

  /** Days in sight, and what shows others; null while there is no finished run. @returns {ChartRange | null} */
  get range() {
    return this.#range;
  }

  /** @param {[number, number] | null} days Unix seconds; null for all */
  showRange(days) {
    if (days) this.#range?.show(days);
    else this.#range?.showAll();
  }

  /** @param {boolean} isOn */
  setLogarithmic(isOn) {
    this.#isLogarithmic = isOn;
    this.#chart?.priceScale("right", 0).applyOptions({ mode: isOn ? 1 : 0 });
  }

  /** @param {boolean} isOn */
  setMarks(isOn) {
    this.#hasMarks = isOn;
    this.#marks?.show(isOn);
    if (this.#loaded) this.#drawMarks();
  }

  /** @param {boolean} isOn */
  setBenchmark(isOn) {
    this.#hasBenchmark = isOn;
    this.#benchmark?.applyOptions({ visible: isOn });
  }

  /** The same in other colours. */
  repaint() {
    if (this.#live) return this.#repaintLive();
    if (!this.#loaded) return;
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    this.#draw();
    if (range) this.#range.showPlaces(range.from, range.to);
  }

  #repaintLive() {
    const points = this.#livePoints;
    this.showLive(this.#liveDays);
    this.growLive(points);
  }
}
