// Where something was bought and sold, gathered so that a chart can show a million orders.

import { REASONS } from "./columns.js";

/** @import { ExitReason } from "../types.d.ts" */

/**
 * Orders of one stretch of time, one side and one reason.
 *
 * @typedef {object} Mark
 * @property {number} time of its first order, midnight UTC in Unix seconds
 * @property {1 | -1} side bought or sold
 * @property {number} count of its orders
 * @property {number} value traded, account currency
 * @property {number} first place of its first order; -1 for a ruin, which has none
 * @property {string} symbol of its first order
 * @property {ExitReason} reason
 */

/**
 * One mark a day, side and reason, in the order of time; on one day buys come first.
 *
 * @param {import("./columns.js").Orders} orders
 * @returns {Mark[]}
 */
export function dailyMarks(orders) {
  /** @type {Mark[]} */
  const marks = [];
  /** @type {Map<number, Mark>} */
  let ofDay = new Map();
  let day = NaN;
  for (let index = 0; index < orders.time.length; index += 1) {
    if (orders.time[index] !== day) {
      pushDay(marks, ofDay);
      [day, ofDay] = [orders.time[index], new Map()];
    }
    const side = orders.side[index] > 0 ? 1 : -1;
    const value = orders.price[index] * orders.shares[index];
    const number = orders.reason[index];
    const mark = ofDay.get(side * (number + 1));
    if (mark) {
      mark.count += 1;
      mark.value += value;
    } else {
      const symbol = orders.symbols[orders.symbol[index]];
      ofDay.set(side * (number + 1), { time: day, side, count: 1, value, first: index, symbol, reason: REASONS[number] });
    }
  }
  pushDay(marks, ofDay);
  return marks;
}

/** @param {Mark[]} marks @param {Map<number, Mark>} ofDay */
function pushDay(marks, ofDay) {
  marks.push(...[...ofDay.values()].sort((one, other) => other.side - one.side));
}

const PIXELS_BETWEEN_MARKS = 13;
const PIXELS_FOR_A_MARK = 26;
const PIXELS_BETWEEN_CLUSTERS = 84;

/**
 * The marks for one scale of the chart. Where they would bury the curve they become clusters, far apart.
 *
 * @param {Mark[]} marks in the order of time
 * @param {{from: number, to: number}} range in sight, Unix seconds
 * @param {number} secondsPerPixel
 * @returns {Mark[]}
 */
export function marksToDraw(marks, range, secondsPerPixel) {
  const gathered = gatheredMarks(marks, secondsPerPixel * PIXELS_BETWEEN_MARKS);
  const inSight = marksInSight(gathered, range);
  const isDense = inSight * PIXELS_FOR_A_MARK * secondsPerPixel > range.to - range.from;
  return isDense ? clusters(marks, secondsPerPixel * PIXELS_BETWEEN_CLUSTERS) : gathered;
}

/** Gathered marks, each in the middle of those that it stands for. @param {Mark[]} marks @param {number} seconds */
function clusters(marks, seconds) {
  const gathered = gatheredMarks(marks, seconds);
  /** @type {Map<string, number[]>} */
  const times = new Map();
  for (const mark of marks) times.set(kindOf(mark), times.get(kindOf(mark)) ?? []).get(kindOf(mark))?.push(mark.time);
  for (const cluster of gathered) {
    const ofKind = times.get(kindOf(cluster)) ?? [];
    const from = ofKind.indexOf(cluster.time);
    const next = ofKind.findIndex((time) => time >= cluster.time + seconds);
    cluster.time = ofKind[Math.floor((from + (next < 0 ? ofKind.length : next)) / 2)];
  }
  return gathered;
}

/** Those of one kind may share a mark. @param {Mark} mark */
function kindOf({ side, reason }) {
  return `${side} ${reason}`;
}

/** @param {Mark[]} marks @param {{from: number, to: number}} range Unix seconds @returns {number} */
export function marksInSight(marks, { from, to }) {
  return marks.filter(({ time }) => time >= from && time <= to).length;
}

/**
 * Fewer marks: those of one side and reason that start less than `seconds` apart become one, at the first's place.
 *
 * @param {Mark[]} marks in the order of time
 * @param {number} seconds
 * @returns {Mark[]}
 */
export function gatheredMarks(marks, seconds) {
  /** @type {Mark[]} */
  const gathered = [];
  /** @type {Map<string, Mark>} */
  const open = new Map();
  for (const mark of marks) {
    const kind = kindOf(mark);
    const last = open.get(kind);
    if (last && mark.time - last.time < seconds) {
      last.count += mark.count;
      last.value += mark.value;
    } else {
      const copy = { ...mark };
      open.set(kind, copy);
      gathered.push(copy);
    }
  }
  return gathered;
}
