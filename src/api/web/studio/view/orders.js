// The columns of the orders' table.

import { isoDate, money, plainNumber } from "../text/format.js";
import { reasonText } from "./selected.js";

/** @import { OrderRow } from "../result/order-view.js" */
/** @import { Kind } from "./rows-table.js" */

/** @type {Kind<OrderRow>} */
export const ORDERS = {
  table: "orders",
  thing: "order",
  sides: ["Buys and sells", "Buys", "Sells"],
  note: "Select an order to see it in the chart, or a mark in the chart to see its order here.",
  first: "number",
  idOf: ({ id }) => id,
  columns: [
    { sort: "number", title: "#", kind: "number", text: ({ id }) => id },
    { sort: "time", title: "Day", text: ({ time }) => isoDate(time) },
    { sort: "symbol", title: "Symbol", text: ({ symbol }) => symbol },
    { sort: "side", title: "Side", look: ({ side }) => (side > 0 ? "buy" : "sell"), text: sideText },
    { sort: "shares", title: "Shares", kind: "number", text: ({ shares }) => sharesText(shares) },
    { sort: "price", title: "Price", kind: "number", text: ({ price }) => priceText(price) },
    { sort: "value", title: "Value", kind: "number", text: ({ value }) => money(value) },
    { sort: "fee", title: "Fee", kind: "number", text: ({ fee }) => money(fee) },
    { sort: "slippageCost", title: "Slippage", kind: "number", text: ({ slippageCost }) => money(slippageCost) },
  ],
};

/** @param {OrderRow} order */
function sideText({ side, reason }) {
  const name = side > 0 ? "Buy" : "Sell";
  return reason === "signal" ? name : `${name} (${reasonText(reason)})`;
}

/** @param {number} shares */
export function sharesText(shares) {
  return plainNumber(shares, shares >= 1e6 ? 0 : 4);
}

/** @param {number} price */
export function priceText(price) {
  return plainNumber(price, price < 1 ? 6 : 2);
}
