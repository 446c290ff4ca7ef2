// Several runs beside each other: equity from one start, metrics with their differences.

/**
 * Growth of one unit of money: equity over the initial capital.
 *
 * @param {{time: Float64Array, close: Float64Array}} candles @param {number} initialCapital
 * @returns {{time: number, value: number}[]}
 */
export function normalised(candles, initialCapital) {
  return Array.from(candles.time, (time, index) => ({ time, value: candles.close[index] / initialCapital }));
}

/**
 * @typedef {object} MetricRow
 * @property {string} name
 * @property {(number | null)[]} values one a run
 * @property {(number | null)[]} differences from the first run; null where one of both is undefined
 */

/**
 * @param {string[]} names of the metrics, in the wanted order
 * @param {Record<string, number | null>[]} metrics one a run
 * @returns {MetricRow[]} those that at least one run has
 */
export function metricRows(names, metrics) {
  const rows = names.map((name) => {
    const values = metrics.map((ofRun) => ofRun[name] ?? null);
    const differences = values.map((value) => (value === null || values[0] === null ? null : value - values[0]));
    return { name, values, differences };
  });
  return rows.filter((row) => row.values.some((value) => value !== null));
}
