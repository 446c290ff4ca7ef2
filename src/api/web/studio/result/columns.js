// A result as columns of numbers: a million orders are seven arrays instead of a million objects.

/** @import { BacktestResponse, Candle, ExitReason, OrderAnswer } from "../types.d.ts" */

/** Why something was bought or sold, by its number in the columns. @type {ExitReason[]} */
export const REASONS = ["signal", "stop_loss", "take_profit", "trailing_stop", "delisting", "ruin", "end"];

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
 * @property {Uint8Array} reason place in REASONS
 */

/**
 * @typedef {object} Trades round trips, by their exits
 * @property {Uint32Array} symbol place in `symbols` @property {string[]} symbols
 * @property {Int8Array} side 1 long, -1 short
 * @property {Float64Array} entry @property {Float64Array} exit midnight UTC in Unix seconds
 * @property {Float64Array} entryPrice @property {Float64Array} exitPrice @property {Float64Array} shares
 * @property {Float64Array} pnl @property {Float64Array} fees account currency
 * @property {Float64Array} return @property {Float64Array} mae @property {Float64Array} mfe fractions
 * @property {Float64Array} bars @property {Uint8Array} reason place in REASONS
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
  /** @type {Orders} */
  const columns = {
    ids: new Array(count),
    time: numbers(),
    ...symbolColumns(rows),
    side: new Int8Array(count),
    price: numbers(),
    shares: numbers(),
    fee: numbers(),
    slippageCost: numbers(),
    reason: Uint8Array.from(rows, ({ reason }) => reasonNumber(reason)),
  };
  for (let index = 0; index < count; index += 1) {
    const row = rows[index];
    columns.ids[index] = row.id;
    columns.time[index] = dayOf(row.timestamp);
    columns.side[index] = row.action === "Buy" ? 1 : -1;
    columns.price[index] = row.price;
    columns.shares[index] = row.shares;
    columns.fee[index] = row.fee;
    columns.slippageCost[index] = row.slippage_cost ?? 0;
  }
  return columns;
}

/** @param {NonNullable<BacktestResponse["trades"]>} rows @returns {Trades} */
export function tradeColumns(rows) {
  /** @param {(row: typeof rows[number]) => number} of */
  const column = (of) => Float64Array.from(rows, of);
  return {
    ...symbolColumns(rows),
    side: Int8Array.from(rows, ({ side }) => (side === "long" ? 1 : -1)),
    entry: column((row) => dayOf(row.entry_time)),
    exit: column((row) => dayOf(row.exit_time)),
    entryPrice: column((row) => row.entry_price),
    exitPrice: column((row) => row.exit_price),
    shares: column((row) => row.shares),
    pnl: column((row) => row.pnl),
    return: column((row) => row.return),
    bars: column((row) => row.bars_held),
    fees: column((row) => row.fees),
    mae: column((row) => row.mae),
    mfe: column((row) => row.mfe),
    reason: Uint8Array.from(rows, (row) => reasonNumber(row.exit_reason)),
  };
}

/** @param {{symbol: string}[]} rows */
function symbolColumns(rows) {
  /** @type {Map<string, number>} */
  const places = new Map();
  const symbol = Uint32Array.from(rows, ({ symbol: name }) => {
    const place = places.get(name) ?? places.size;
    places.set(name, place);
    return place;
  });
  return { symbol, symbols: [...places.keys()] };
}

/** One that this page does not know is shown like a signal. @param {ExitReason | undefined} reason */
function reasonNumber(reason = "signal") {
  return Math.max(REASONS.indexOf(reason), 0);
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
