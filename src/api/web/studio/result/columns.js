// A result as columns of numbers: a million orders are seven arrays instead of a million objects.

/** @import { Candle, OrderAnswer } from "../types.d.ts" */

/**
 * @typedef {object} Candles
 * @property {Float64Array} time midnight UTC in Unix seconds, ascending and unique
 * @property {Float64Array} open @property {Float64Array} high @property {Float64Array} low
 * @property {Float64Array} close account currency
 */

/**
 * @typedef {object} Orders
 * @property {string[]} ids
 * @property {Float64Array} time midnight UTC in Unix seconds, ascending
 * @property {Uint32Array} symbol place in `symbols` @property {string[]} symbols
 * @property {Int8Array} side 1 bought, -1 sold
 * @property {Float64Array} price @property {Float64Array} shares
 * @property {Float64Array} fee @property {Float64Array} slippageCost account currency
 */

/** @param {Candle[]} rows @returns {Candles} */
export function candleColumns(rows) {
  /** @param {keyof Candle} name */
  const column = (name) => Float64Array.from(rows, (row) => row[name]);
  const columns = { time: column("time"), open: column("open"), high: column("high"), low: column("low"), close: column("close") };
  for (let index = 1; index < rows.length; index += 1) {
    // The chart draws nonsense from anything else and does not say so.
    if (columns.time[index] <= columns.time[index - 1]) throw new Error("candles are not in the order of time");
  }
  return columns;
}

/** @param {OrderAnswer[]} rows @returns {Orders} */
export function orderColumns(rows) {
  const count = rows.length;
  const numbers = () => new Float64Array(count);
  /** @type {Map<string, number>} */
  const places = new Map();
  /** @type {Orders} */
  const columns = {
    ids: new Array(count),
    time: numbers(),
    symbol: new Uint32Array(count),
    symbols: [],
    side: new Int8Array(count),
    price: numbers(),
    shares: numbers(),
    fee: numbers(),
    slippageCost: numbers(),
  };
  for (let index = 0; index < count; index += 1) {
    const row = rows[index];
    const place = places.get(row.symbol) ?? columns.symbols.push(row.symbol) - 1;
    places.set(row.symbol, place);
    columns.ids[index] = row.id;
    columns.time[index] = dayOf(row.timestamp);
    columns.symbol[index] = place;
    columns.side[index] = row.action === "Buy" ? 1 : -1;
    columns.price[index] = row.price;
    columns.shares[index] = row.shares;
    columns.fee[index] = row.fee;
    columns.slippageCost[index] = row.slippage_cost ?? 0;
  }
  return columns;
}

/** @type {Map<string, number>} */
const days = new Map();

/** Unix seconds of an ISO timestamp; a run has few days and many orders, so each is read once. @param {string} timestamp */
function dayOf(timestamp) {
  let seconds = days.get(timestamp);
  if (seconds === undefined) {
    seconds = Date.parse(timestamp) / 1000;
    if (Number.isNaN(seconds)) throw new Error(`'${timestamp}' is no time`);
    if (days.size > 100_000) days.clear();
    days.set(timestamp, seconds);
  }
  return seconds;
}
