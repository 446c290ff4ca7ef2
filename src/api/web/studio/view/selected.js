// What is marked in the chart: one order, or a trade from its entry to its exit.

import { isoDate, money, percent, plainNumber, withSign } from "../text/format.js";

/** @import { OrderRow, TradeRow } from "../result/order-view.js" */
/** @import { ExitReason } from "../types.d.ts" */

/**
 * @typedef {object} Selected
 * @property {string} key that no other has
 * @property {number} from @property {number} to Unix seconds; an order's are the same
 * @property {string} text
 */

/** @param {OrderRow} order @returns {Selected} */
export function selectedOrder({ place, id, side, shares, symbol, price, time, reason }) {
  const why = reason === "signal" ? "" : `, ${reasonText(reason)}`;
  const text = `● Order ${id}: ${side > 0 ? "buy" : "sell"} ${plainNumber(shares)} ${symbol} at ${plainNumber(price)} on ${isoDate(time)}${why}`;
  return { key: `order ${place}`, from: time, to: time, text };
}

/** @param {TradeRow} trade @returns {Selected} */
export function selectedTrade({ place, side, shares, symbol, entry, exit, pnl, return: share, reason }) {
  const text = `● ${side > 0 ? "Long" : "Short"} ${plainNumber(shares)} ${symbol} from ${isoDate(entry)} to ${isoDate(exit)}: ${withSign(money, pnl)} (${withSign(percent, share)}), ${reasonText(reason)}`;
  return { key: `trade ${place}`, from: entry, to: exit, text };
}

/** @param {ExitReason} reason */
export function reasonText(reason) {
  return reason === "end" ? "still open" : reason.replaceAll("_", " ");
}
