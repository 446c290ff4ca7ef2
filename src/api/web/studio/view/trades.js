// The columns of the trades' table, and what stands there where a result has no trades.

import { routeAddress } from "../service/api.js";
import { isoDate, money, percent, tone, wholeNumber, withSign } from "../text/format.js";
import { element } from "./dom.js";
import { openFile } from "./download.js";
import { priceText, sharesText } from "./orders.js";
import { reasonText } from "./selected.js";

/** @import { TradeRow } from "../result/order-view.js" */
/** @import { Kind } from "./rows-table.js" */

/** @type {Kind<TradeRow>} */
export const TRADES = {
  table: "trades",
  thing: "trade",
  sides: ["Long and short", "Long", "Short"],
  note: "Select a trade to see its entry and exit in the chart.",
  first: "exit",
  idOf: ({ place }) => String(place + 1),
  columns: [
    { sort: "symbol", title: "Symbol", text: ({ symbol }) => symbol },
    { sort: "side", title: "Side", look: ({ side }) => (side > 0 ? "buy" : "sell"), text: ({ side }) => (side > 0 ? "Long" : "Short") },
    { sort: "entry", title: "Entry", text: ({ entry, entryPrice }) => `${isoDate(entry)} at ${priceText(entryPrice)}` },
    { sort: "exit", title: "Exit", text: ({ exit, exitPrice }) => `${isoDate(exit)} at ${priceText(exitPrice)}` },
    { sort: "reason", title: "Exit by", text: ({ reason }) => reasonText(reason) },
    { sort: "shares", title: "Shares", kind: "number", text: ({ shares }) => sharesText(shares) },
    { sort: "pnl", title: "Profit", kind: "number", look: ({ return: share }) => tone(share), text: ({ pnl }) => withSign(money, pnl) },
    { sort: "return", title: "Return", kind: "number", look: ({ return: share }) => tone(share), text: ({ return: share }) => withSign(percent, share) },
    { sort: "bars", title: "Bars", kind: "number", text: ({ bars }) => wholeNumber(bars) },
    { sort: "fees", title: "Fees", kind: "number", text: ({ fees }) => money(fees) },
    { sort: "mae", title: "MAE", kind: "number", text: ({ mae }) => percent(mae) },
    { sort: "mfe", title: "MFE", kind: "number", text: ({ mfe }) => percent(mfe) },
  ],
};

/**
 * The table with its file, or why there is none.
 *
 * @param {HTMLElement} table @param {number | null} count null where the result has none @param {string} hash @param {(problem: unknown) => void} onProblem
 */
export function tradesView(table, count, hash, onProblem) {
  if (count === null) return element("p.empty", {}, "This result was stored before trades were recorded. Rerun it to see them.");
  const path = `runs/${hash}/artifacts/trades.csv`;
  /** @param {MouseEvent} event */
  const open = (event) => openFile(event, path, "trades.csv").catch(onProblem);
  const file = element("a", { href: routeAddress(path), download: "trades.csv", onclick: open }, "Download trades.csv");
  const note = "One row for each entry that was closed, first in, first out. MAE and MFE: the largest move against and in favour of it.";
  return element("div", {}, table, element("p.soft.order-note", {}, `${note} `, file));
}
