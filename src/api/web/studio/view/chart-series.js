// What a run's chart is made of: equity and benchmark, the fall from the peak, what was held, and plots.

import { BaselineSeries, CandlestickSeries, LineSeries, LineStyle, createTextWatermark } from "../vendor/lightweight-charts.js";
import { percent, plotNumber } from "../text/format.js";
import { MONEY_FORMAT } from "./chart-look.js";
import { StackedSeries } from "./stacked-series.js";

/** @import { ChartColours } from "./chart-look.js" */
/** @import { Chart, PriceFormatCustom } from "../vendor/lightweight-charts.js" */
/** @import { BenchmarkPoint } from "../types.d.ts" */
/** @import { Holdings } from "../result/holdings.js" */
/** @import { Plot } from "../result/plots.js" */
/** @import { Candles } from "../result/columns.js" */

/** @type {PriceFormatCustom} */
const PERCENT_FORMAT = { type: "custom", minMove: 0.01, formatter: (value) => percent(value / 100, Math.abs(value) < 10 ? 2 : 1) };
/** @type {PriceFormatCustom} */
const SHARE_FORMAT = { type: "custom", minMove: 0.01, formatter: (value) => percent(value, 0) };
/** @type {PriceFormatCustom} */
const PLOT_FORMAT = { type: "custom", minMove: 1e-6, formatter: plotNumber };

/** @param {Chart} chart @param {ChartColours} colours @param {Candles} candles */
export function addEquity(chart, { accent, gain, loss }, { time, open, high, low, close }) {
  const look = { upColor: gain, downColor: loss, wickUpColor: gain, wickDownColor: loss, borderVisible: false };
  const series = chart.addSeries(CandlestickSeries, { ...look, priceLineVisible: false, priceLineColor: accent, priceFormat: MONEY_FORMAT });
  series.setData(Array.from(time, (at, index) => ({ time: at, open: open[index], high: high[index], low: low[index], close: close[index] })));
  return series;
}

/** @param {Chart} chart @param {ChartColours} colours @param {BenchmarkPoint[]} points */
export function addBenchmark(chart, { benchmark }, points) {
  const look = { color: benchmark, priceLineVisible: false, crosshairMarkerVisible: false };
  const series = chart.addSeries(LineSeries, { ...look, lineWidth: 1, priceFormat: MONEY_FORMAT });
  series.setData(points);
  return series;
}

/** @param {Chart} chart @param {ChartColours} colours @param {Float64Array} time @param {Float64Array} depths positive fractions below the peak */
export function addDrawdown(chart, { loss, lossWash }, time, depths) {
  const none = { topLineColor: loss, topFillColor1: "transparent", topFillColor2: "transparent" };
  const look = { ...none, bottomLineColor: loss, bottomFillColor1: lossWash, bottomFillColor2: lossWash };
  const series = chart.addSeries(BaselineSeries, { ...look, lineWidth: 1, priceLineVisible: false, priceFormat: PERCENT_FORMAT }, 1);
  series.setData(Array.from(time, (at, index) => ({ time: at, value: -100 * depths[index] })));
}

/** @param {Chart} chart @param {ChartColours} colours @param {Float64Array} time @param {Holdings} holdings @param {Map<string, number>} numbers of the colours, by symbol */
export function addHoldings(chart, { symbols, others, text }, time, { names, weights }, numbers) {
  if (!names.length) return;
  const hues = names.map((name) => symbols[(numbers.get(name) ?? 0) - 1] ?? others);
  const look = { hues, priceLineVisible: false, lastValueVisible: false, priceFormat: SHARE_FORMAT };
  const series = chart.addCustomSeries(new StackedSeries(), look, 2);
  series.setData(Array.from(time, (at, index) => ({ time: at, parts: weights.map((weight) => weight[index]) })));
  if (!weights.some((weight) => weight.some((share) => share < 0))) return;
  series.createPriceLine({ price: 0, color: text, lineWidth: 1, lineStyle: LineStyle.Solid, axisLabelVisible: false, title: "" });
}

/** A pane below all others. @param {Chart} chart @param {ChartColours} colours @param {Float64Array} time @param {Plot[]} plots @param {(plot: Plot) => number} numberOf each one's colour, from 0 */
export function addPlots(chart, { hues }, time, plots, numberOf) {
  const pane = chart.panes().length;
  for (const plot of plots) {
    const look = { color: hues[numberOf(plot) % hues.length], priceLineVisible: false, priceFormat: PLOT_FORMAT };
    const series = chart.addSeries(LineSeries, { ...look, lineWidth: 1, pointMarkersVisible: plot.values.length === 1 }, pane);
    series.setData(Array.from(time, (at, index) => (Number.isNaN(plot.values[index]) ? { time: at } : { time: at, value: plot.values[index] })));
  }
}

/** What each pane shows, in its corner. @param {Chart} chart @param {ChartColours} colours @param {string[]} names */
export function addPaneNames(chart, { text }, names) {
  const gap = { text: " ", color: text, fontSize: 1, lineHeight: 4 };
  chart.panes().forEach((pane, place) => {
    createTextWatermark(pane, { horzAlign: "left", vertAlign: "top", lines: [gap, { text: names[place], color: text, fontSize: 11 }] });
  });
}

/** A screenshot must not pass for a real market. @param {Chart} chart @param {ChartColours} colours @param {number} widthPixels of the chart, in which it must fit */
export function addSyntheticMark(chart, { watermark }, widthPixels) {
  const line = { text: "SYNTHETIC PRICES", color: watermark, fontSize: Math.min(34, Math.round(widthPixels / 17)), fontStyle: "bold" };
  createTextWatermark(chart.panes()[0], { horzAlign: "center", vertAlign: "center", lines: [line] });
}
