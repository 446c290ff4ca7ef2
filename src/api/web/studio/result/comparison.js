// Several runs beside each other: equity from one start, metrics with their differences.

/** @import { BenchmarkPoint, Metric, Metrics } from "../types.d.ts" */

/**
 * Growth of one unit of money: equity over the initial capital.
 *
 * @param {{time: ArrayLike<number>, close: ArrayLike<number>}} candles @param {number} initialCapital
 * @returns {{time: number, value: number}[]}
 */
export function normalised(candles, initialCapital) {
  return Array.from(candles.time, (time, index) => ({ time, value: candles.close[index] / initialCapital }));
}

/**
 * The growth of several runs over the days that they share: each starts at one, at the close before the first of them.
 *
 * @param {{candles: {time: ArrayLike<number>, close: ArrayLike<number>}, initialCapital: number}[]} runs
 * @returns {{areSame: boolean, first: number, last: number, lines: {time: number, value: number}[][]}} whether all cover
 *   the same days; the shared window in Unix seconds, with `first` after `last` where there is none: then each line is
 *   that of its whole run
 */
export function alignedGrowth(runs) {
  const starts = runs.map(({ candles }) => candles.time[0]);
  const ends = runs.map(({ candles }) => candles.time[candles.time.length - 1]);
  const [first, last] = [Math.max(...starts), Math.min(...ends)];
  const areSame = Math.min(...starts) === first && Math.max(...ends) === last;
  const lines = runs.map(({ candles, initialCapital }) => {
    const whole = normalised(candles, initialCapital);
    return areSame || first > last ? whole : between(whole, first, last);
  });
  return { areSame, first, last, lines };
}

/** @param {BenchmarkPoint[]} points @param {number} first @param {number} last */
function between(points, first, last) {
  const from = points.findIndex(({ time }) => time >= first);
  const base = from > 0 ? points[from - 1].value : 1;
  return points.filter(({ time }) => time >= first && time <= last).map(({ time, value }) => ({ time, value: value / base }));
}

/**
 * @typedef {object} MetricRow
 * @property {Metric} metric
 * @property {(number | null)[]} values one a run
 * @property {(number | null)[]} differences from the first run; null where one of both is undefined
 */

/**
 * @param {Metric[]} catalogue in the wanted order
 * @param {Metrics[]} metrics one a run
 * @returns {MetricRow[]} those that at least one run has
 */
export function metricRows(catalogue, metrics) {
  const rows = catalogue.map((metric) => {
    const values = metrics.map((ofRun) => ofRun[metric.name] ?? null);
    const differences = values.map((value) => (value === null || values[0] === null ? null : value - values[0]));
    return { metric, values, differences };
  });
  return rows.filter((row) => row.values.some((value) => value !== null));
}
