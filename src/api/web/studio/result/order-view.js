// Orders and trades as a table shows them: filtered and sorted by place, the columns themselves never move.

import { REASONS } from "./columns.js";

/** @import { ExitReason } from "../types.d.ts" */
/** @import { Orders, Trades } from "./columns.js" */

/**
 * @typedef {object} Wanted what the table shows
 * @property {string} sort a column; "number" for the order in which they came
 * @property {boolean} isDescending
 * @property {string} symbol part of a symbol, upper and lower case alike; "" for all
 * @property {1 | -1 | 0} side 0 for both
 */

/**
 * The places of the wanted rows, in the wanted order. Equal ones stay in the order in which they filled.
 *
 * @param {Orders | Trades} columns
 * @param {Wanted} wanted
 * @returns {Uint32Array}
 */
export function rowView(columns, wanted) {
  const places = filtered(columns, wanted);
  const keys = sortKeys(columns, wanted.sort);
  if (keys) {
    const sign = wanted.isDescending ? -1 : 1;
    places.sort((one, other) => sign * (keys[one] - keys[other]) || one - other);
  } else if (wanted.isDescending) {
    places.reverse();
  }
  return places;
}

/** @param {Orders | Trades} columns @param {Wanted} wanted */
function filtered({ symbol, symbols, side }, wanted) {
  const part = wanted.symbol.trim().toUpperCase();
  const isWanted = symbols.map((name) => name.toUpperCase().includes(part));
  const places = new Uint32Array(symbol.length);
  let count = 0;
  for (let index = 0; index < places.length; index += 1) {
    if (!isWanted[symbol[index]] || (wanted.side && side[index] !== wanted.side)) continue;
    places[count] = index;
    count += 1;
  }
  return places.subarray(0, count);
}

/** One number a row to sort by; null where they are in that order already. @param {Orders | Trades} columns @param {string} sort @returns {Record<number, number> | null} */
function sortKeys(columns, sort) {
  switch (sort) {
    case "number":
    case "time":
      return null;
    case "symbol":
      return Float64Array.from(columns.symbol, rankLookup(columns.symbols));
    case "value":
      return "price" in columns ? columns.price.map((price, index) => price * columns.shares[index]) : null;
    default:
      return /** @type {any} */ (columns)[sort] ?? null;
  }
}

/** @param {string[]} symbols */
function rankLookup(symbols) {
  const sorted = symbols.map((_, place) => place).sort((one, other) => (symbols[one] < symbols[other] ? -1 : 1));
  const ranks = new Float64Array(symbols.length);
  for (const [rank, place] of sorted.entries()) ranks[place] = rank;
  /** @param {number} place */
  const rankOf = (place) => ranks[place];
  return rankOf;
}

/**
 * @typedef {object} OrderRow
 * @property {number} place @property {string} id @property {number} time @property {string} symbol
 * @property {1 | -1} side @property {number} price @property {number} shares @property {number} value
 * @property {number} fee @property {number} slippageCost @property {ExitReason} reason
 */

/** One order as an object. @param {Orders} orders @param {number} place @returns {OrderRow} */
export function orderAt(orders, place) {
  return {
    place,
    id: orders.ids[place],
    time: orders.time[place],
    symbol: orders.symbols[orders.symbol[place]],
    side: orders.side[place] > 0 ? 1 : -1,
    price: orders.price[place],
    shares: orders.shares[place],
    value: orders.price[place] * orders.shares[place],
    fee: orders.fee[place],
    slippageCost: orders.slippageCost[place],
    reason: REASONS[orders.reason[place]],
  };
}

/**
 * @typedef {object} TradeRow
 * @property {number} place @property {string} symbol @property {1 | -1} side
 * @property {number} entry @property {number} exit @property {number} entryPrice @property {number} exitPrice
 * @property {number} shares @property {number} pnl @property {number} return @property {number} bars
 * @property {number} fees @property {number} mae @property {number} mfe @property {ExitReason} reason
 */

/** One trade as an object. @param {Trades} trades @param {number} place @returns {TradeRow} */
export function tradeAt(trades, place) {
  const { symbol, symbols, side, reason, ...numbers } = trades;
  const values = Object.fromEntries(Object.entries(numbers).map(([name, column]) => [name, column[place]]));
  return /** @type {TradeRow} */ ({ ...values, place, symbol: symbols[symbol[place]], side: side[place], reason: REASONS[reason[place]] });
}
