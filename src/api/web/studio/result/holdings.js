// What was held over time: the largest holdings by name, the rest as one.

/** @import { HoldingWeights } from "../types.d.ts" */

/**
 * @typedef {object} Holdings
 * @property {string[]} names largest first; the last are OTHERS, long and short, where there are more than were asked for
 * @property {Float64Array[]} weights one array a name: fraction of equity on each day of the timeline, below zero where it is short
 */

export const OTHERS = "others";
export const SHORT_OTHERS = "others, short";

/**
 * Weights by day. Between two fills the weights of the first are shown.
 *
 * @param {HoldingWeights[]} rows one a day with fills, ascending
 * @param {ArrayLike<number>} times the timeline, midnight UTC in Unix seconds, ascending
 * @param {number} most names that are told apart
 * @returns {Holdings}
 */
export function holdingsOverTime(rows, times, most) {
  const spans = daysOfRows(rows, times);
  const names = largest(rows, spans, most);
  const places = new Map(names.map((name, place) => [name, place]));
  const weights = names.map(() => new Float64Array(times.length));
  rows.forEach((row, number) => {
    const [from, until] = spans[number];
    const sums = new Float64Array(names.length);
    for (const [symbol, weight] of Object.entries(row.weights)) {
      // Long and short ones would hide each other in one sum.
      const place = places.get(symbol) ?? places.get(weight < 0 ? SHORT_OTHERS : OTHERS);
      if (place !== undefined) sums[place] += weight;
    }
    for (const [place, sum] of sums.entries()) weights[place].fill(sum, from, until);
  });
  return { names, weights };
}

/** For each row the days it holds for, as [from, until) of the timeline. @param {HoldingWeights[]} rows @param {ArrayLike<number>} times */
function daysOfRows(rows, times) {
  /** @type {number[]} */
  const starts = [];
  let day = 0;
  for (const row of rows) {
    while (day < times.length && times[day] < row.time) day += 1;
    starts.push(day);
  }
  return starts.map((start, number) => [start, starts[number + 1] ?? times.length]);
}

/** @param {HoldingWeights[]} rows @param {number[][]} spans @param {number} most */
function largest(rows, spans, most) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  rows.forEach((row, number) => {
    const days = spans[number][1] - spans[number][0];
    for (const [symbol, weight] of Object.entries(row.weights)) {
      sums.set(symbol, (sums.get(symbol) ?? 0) + Math.abs(weight) * days);
    }
  });
  const names = [...sums].sort(([one, sum], [other, otherSum]) => otherSum - sum || (one < other ? -1 : 1)).map(([name]) => name);
  if (names.length <= most) return names;
  const [told, rest] = [names.slice(0, most - 1), new Set(names.slice(most - 1))];
  const isShort = rows.some(({ weights }) => Object.entries(weights).some(([symbol, weight]) => weight < 0 && rest.has(symbol)));
  return isShort ? [...told, OTHERS, SHORT_OTHERS] : [...told, OTHERS];
}
