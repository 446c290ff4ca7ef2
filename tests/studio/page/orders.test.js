import assert from "node:assert/strict";
import { test } from "node:test";

import { candleColumns, orderColumns, tradeColumns } from "../../../src/api/web/studio/result/columns.js";
import { OTHERS, SHORT_OTHERS, holdingsOverTime } from "../../../src/api/web/studio/result/holdings.js";
import { dailyMarks, gatheredMarks } from "../../../src/api/web/studio/result/marks.js";
import { orderAt, rowView, tradeAt } from "../../../src/api/web/studio/result/order-view.js";

/** @import { BacktestResponse, HoldingWeights, OrderAnswer } from "../../../src/api/web/studio/types.d.ts" */
/** @import { Wanted } from "../../../src/api/web/studio/result/order-view.js" */

const DAY = 86_400;

/** @param {number} id @param {number} day @param {string} symbol @param {"Buy" | "Sell"} action @param {number} shares @param {number} price @returns {OrderAnswer} */
function order(id, day, symbol, action, shares, price, fee = 0) {
  const timestamp = new Date(day * DAY * 1000).toISOString().replace(".000", "");
  return { id: String(id), timestamp, symbol, action, shares, price, fee, slippage_cost: 0.5 };
}

const ROWS = [
  order(1, 10, "SPY", "Buy", 10, 100, 1),
  order(2, 10, "BND", "Buy", 5, 50, 3),
  order(3, 12, "SPY", "Sell", 10, 110, 2),
  order(4, 12, "BRK-B", "Buy", 1, 300, 3),
];
const ORDERS = orderColumns(ROWS);
/** @type {Wanted} */
const ALL = { sort: "number", isDescending: false, symbol: "", side: 0 };

/** @param {Partial<Wanted>} wanted */
const ids = (wanted) => Array.from(rowView(ORDERS, { ...ALL, ...wanted }), (place) => ORDERS.ids[place]).join("");

test("an order comes out of its columns as it went in", () => {
  ROWS.forEach((row, place) => {
    const { id, time, symbol, side, price, shares, value, fee, slippageCost } = orderAt(ORDERS, place);
    assert.deepEqual({ id, symbol, price, shares, fee }, { id: row.id, symbol: row.symbol, price: row.price, shares: row.shares, fee: row.fee });
    assert.equal(time, Date.parse(row.timestamp) / 1000);
    assert.equal(side, row.action === "Buy" ? 1 : -1);
    assert.equal(value, row.price * row.shares);
    assert.equal(slippageCost, 0.5);
  });
});

test("orders are sorted by each column, equal ones in the order in which they filled", () => {
  assert.equal(ids({}), "1234");
  assert.equal(ids({ isDescending: true }), "4321");
  assert.equal(ids({ sort: "symbol" }), "2413");
  assert.equal(ids({ sort: "side" }), "3124");
  assert.equal(ids({ sort: "fee" }), "1324");
  assert.equal(ids({ sort: "fee", isDescending: true }), "2431");
  assert.equal(ids({ sort: "value" }), "2413");
  assert.equal(ids({ sort: "shares" }), "4213");
});

test("orders are filtered by part of the symbol and by side", () => {
  assert.equal(ids({ symbol: "b" }), "24");
  assert.equal(ids({ symbol: " spy " }), "13");
  assert.equal(ids({ side: -1 }), "3");
  assert.equal(ids({ symbol: "nothing" }), "");
});

test("there is one mark a day and side, with how many and how much", () => {
  const marks = dailyMarks(ORDERS).map(({ time, side, count, value, first }) => [time / DAY, side, count, value, first]);
  assert.deepEqual(marks, [[10, 1, 2, 1250, 0], [12, 1, 1, 300, 3], [12, -1, 1, 1100, 2]]);
});

test("an exit without a signal has a mark of its own, which is gathered with its like only", () => {
  /** @type {OrderAnswer[]} */
  const rows = [
    order(1, 10, "SPY", "Sell", 1, 100),
    { ...order(2, 10, "SPY", "Sell", 1, 100), reason: "stop_loss" },
    { ...order(3, 11, "BND", "Sell", 1, 100), reason: "stop_loss" },
    { ...order(4, 11, "GLD", "Buy", 1, 100), reason: "take_profit" },
  ];
  const marks = dailyMarks(orderColumns(rows));
  assert.deepEqual(marks.map(({ first, reason }) => [first, reason]), [[0, "signal"], [1, "stop_loss"], [3, "take_profit"], [2, "stop_loss"]]);
  assert.deepEqual(gatheredMarks(marks, 5 * DAY).map(({ reason, count }) => [reason, count]), [["signal", 1], ["stop_loss", 2], ["take_profit", 1]]);
});

test("trades are sorted by any number, by symbol and by how they ended, and come out as they went in", () => {
  const trade = { side: /** @type {const} */ ("long"), entry_time: "2015-01-05T00:00:00Z", exit_time: "2015-01-09T00:00:00Z", entry_price: 10, exit_price: 11, shares: 2, bars_held: 4, fees: 1, mae: -0.1, mfe: 0.2 };
  /** @type {NonNullable<BacktestResponse["trades"]>} */
  const rows = [
    { ...trade, symbol: "SPY", pnl: 1, return: 0.1, exit_reason: "trailing_stop" },
    { ...trade, symbol: "BND", pnl: -3, return: -0.2, exit_reason: "end", side: "short" },
    { ...trade, symbol: "GLD", pnl: 2, return: 0.05, exit_reason: "signal" },
  ];
  const trades = tradeColumns(rows);
  /** @param {Partial<Wanted>} wanted */
  const places = (wanted) => Array.from(rowView(trades, { ...ALL, sort: "exit", ...wanted })).join("");
  assert.equal(places({}), "012");
  assert.equal(places({ sort: "pnl" }), "102");
  assert.equal(places({ sort: "return", isDescending: true }), "021");
  assert.equal(places({ sort: "symbol" }), "120");
  assert.equal(places({ sort: "reason" }), "201");
  assert.equal(places({ side: -1 }), "1");
  const { entry, exit, entryPrice, exitPrice, ...rest } = tradeAt(trades, 1);
  assert.deepEqual([entry, exit, entryPrice, exitPrice], [Date.UTC(2015, 0, 5) / 1000, Date.UTC(2015, 0, 9) / 1000, 10, 11]);
  assert.deepEqual(rest, { place: 1, symbol: "BND", side: -1, shares: 2, pnl: -3, return: -0.2, bars: 4, fees: 1, mae: -0.1, mfe: 0.2, reason: "end" });
});

test("marks that are close become one, and none of their orders is lost", () => {
  const marks = dailyMarks(ORDERS);
  const gathered = gatheredMarks(marks, 5 * DAY);
  assert.deepEqual(gathered.map(({ side, count }) => [side, count]), [[1, 3], [-1, 1]]);
  assert.deepEqual(gatheredMarks(marks, DAY), marks);
  const sum = (/** @type {{value: number}[]} */ list) => list.reduce((total, { value }) => total + value, 0);
  assert.equal(sum(gathered), sum(marks));
  assert.equal(marks[0].count, 2, "the marks themselves were changed");
});

test("candles that are out of order are refused", () => {
  const candle = (/** @type {number} */ time) => ({ time, open: 1, high: 1, low: 1, close: 1 });
  assert.equal(candleColumns([candle(1), candle(2)]).time.length, 2);
  assert.throws(() => candleColumns([candle(2), candle(2)]), /order of time/);
});

test("between two fills what was held is what the first of them left", () => {
  /** @type {HoldingWeights[]} */
  const rows = [{ time: 20, weights: { A: 0.5, B: 0.3 } }, { time: 40, weights: { B: 1 } }];
  const { names, weights } = holdingsOverTime(rows, [10, 20, 30, 40, 50], 8);
  assert.deepEqual(names, ["B", "A"]);
  assert.deepEqual(weights.map((ofName) => Array.from(ofName)), [[0, 0.3, 0.3, 1, 1], [0, 0.5, 0.5, 0, 0]]);
});

test("beyond the largest, holdings are told together and nothing is left out", () => {
  const rows = [{ time: 10, weights: { A: 0.4, B: 0.3, C: 0.2, D: 0.1 } }];
  const { names, weights } = holdingsOverTime(rows, [10, 20], 3);
  assert.deepEqual(names, ["A", "B", OTHERS]);
  assert.ok(Math.abs(weights.reduce((sum, ofName) => sum + ofName[1], 0) - 1) < 1e-12);
});

test("beyond the largest, long and short holdings do not hide each other", () => {
  const rows = [{ time: 10, weights: { A: 0.9, B: -0.8, C: 0.4, D: -0.4 } }];
  const { names, weights } = holdingsOverTime(rows, [10], 3);
  assert.deepEqual(names, ["A", "B", OTHERS, SHORT_OTHERS]);
  assert.deepEqual(weights.map(([weight]) => weight), [0.9, -0.8, 0.4, -0.4]);
});
