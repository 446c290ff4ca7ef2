// Orders as a table shows them: filtered and sorted by place, the columns themselves never move.

/** @import { Orders } from "./columns.js" */

/**
 * @typedef {object} Wanted what the table shows
 * @property {"number" | "time" | "symbol" | "side" | "price" | "shares" | "value" | "fee" | "slippage"} sort
 * @property {boolean} isDescending
 * @property {string} symbol part of a symbol, upper and lower case alike; "" for all
 * @property {1 | -1 | 0} side 0 for both
 */

/**
 * The places of the wanted orders, in the wanted order. Equal ones stay in the order in which they filled.
 *
 * @param {Orders} orders
 * @param {Wanted} wanted
 * @returns {Uint32Array}
 */
export function orderView(orders, wanted) {
  const places = filtered(orders, wanted);
  const keys = sortKeys(orders, wanted.sort);
  if (keys) {
    const sign = wanted.isDescending ? -1 : 1;
    places.sort((one, other) => sign * (keys[one] - keys[other]) || one - other);
  } else if (wanted.isDescending) {
    places.reverse();
  }
  return places;
}

/** @param {Orders} orders @param {Wanted} wanted */
function filtered(orders, wanted) {
  const part = wanted.symbol.trim().toUpperCase();
  const isWanted = orders.symbols.map((symbol) => symbol.toUpperCase().includes(part));
  const places = new Uint32Array(orders.time.length);
  let count = 0;
  for (let index = 0; index < places.length; index += 1) {
    if (!isWanted[orders.symbol[index]] || (wanted.side && orders.side[index] !== wanted.side)) continue;
    places[count] = index;
    count += 1;
  }
  return places.subarray(0, count);
}

/** One number an order to sort by; null where they are in that order already. @param {Orders} orders @param {Wanted["sort"]} sort */
function sortKeys(orders, sort) {
  switch (sort) {
    case "number":
    case "time":
      return null;
    case "symbol":
      return Float64Array.from(orders.symbol, rankLookup(orders.symbols));
    case "value":
      return orders.price.map((price, index) => price * orders.shares[index]);
    case "slippage":
      return orders.slippageCost;
    default:
      return orders[sort];
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
 * @property {number} fee @property {number} slippageCost
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
  };
}
