// Series besides the equity, by day of the timeline: what the strategy plotted, and statistics of rolling windows.

/** @import { PlotSeries, RollingWindow } from "../types.d.ts" */

/**
 * @typedef {object} Plot
 * @property {string} name
 * @property {Float64Array} values one a day of the timeline, NaN where there is none
 */

/** @type {Record<string, "sharpe_ratio" | "volatility" | "beta" | "max_drawdown">} */
const ROLLING = { "Sharpe ratio": "sharpe_ratio", "Volatility": "volatility", "Beta": "beta", "Max drawdown": "max_drawdown" };
/** How many times as large as the other's a range may be. */
const MOST_TIMES = 5;

/** Points on days of the timeline; others would stretch it. @param {PlotSeries[]} series @param {Float64Array} times @returns {Plot[]} */
export function alignedPlots(series, times) {
  return series.filter(({ points }) => points.length).map(({ name, points }) => {
    const byTime = new Map(points);
    return { name, values: times.map((time) => byTime.get(time) ?? NaN) };
  });
}

/** Rolling statistics by their names; a window longer than the run has none. @param {RollingWindow[]} windows @returns {Record<string, Plot[]>} */
export function rollingPlots(windows) {
  const made = Object.entries(ROLLING).map(([name, member]) => {
    const plots = windows.map((window) => ({ name: `${name}, ${window.days} days`, values: Float64Array.from(window[member], (value) => value ?? NaN) }));
    return [name, plots.filter(({ values }) => values.some((value) => !Number.isNaN(value)))];
  });
  return Object.fromEntries(made);
}

/**
 * Which plots share a pane: those whose ranges overlap and are of a like size, as of two moving averages, and constants
 * within the range of another.
 *
 * @param {Plot[]} plots
 * @returns {Plot[][]} in the order of the first plot of each
 */
export function plotPanes(plots) {
  /** @type {{low: number, high: number, plots: Plot[]}[]} */
  const panes = [];
  for (const plot of plots) {
    const range = rangeOf(plot.values);
    const shared = panes.find((pane) => areAlike(pane, range));
    if (!shared) panes.push({ ...range, plots: [plot] });
    else {
      shared.plots.push(plot);
      [shared.low, shared.high] = [Math.min(shared.low, range.low), Math.max(shared.high, range.high)];
    }
  }
  return panes.map(({ plots: ofPane }) => ofPane);
}

/** @param {Float64Array} values */
function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/** @param {{low: number, high: number}} one @param {{low: number, high: number}} other */
function areAlike(one, other) {
  const [size, otherSize] = [one.high - one.low, other.high - other.low];
  const areOfLikeSize = !size || !otherSize || (size <= MOST_TIMES * otherSize && otherSize <= MOST_TIMES * size);
  return areOfLikeSize && one.low <= other.high && other.low <= one.high;
}
