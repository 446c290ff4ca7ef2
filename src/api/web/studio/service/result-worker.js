// Reads a result beside the page: a hundred megabytes of JSON must not freeze what a person is looking at.
// It keeps orders and trades and answers questions about them.

import { candleColumns, orderColumns, tradeColumns } from "../result/columns.js";
import { OTHERS, SHORT_OTHERS, holdingsOverTime } from "../result/holdings.js";
import { dailyMarks } from "../result/marks.js";
import { orderAt, rowView, tradeAt } from "../result/order-view.js";
import { alignedPlots, rollingPlots } from "../result/plots.js";
import { symbolColours } from "../result/symbol-colours.js";
import { cutOff, problemOf, unreachable } from "./problem.js";

/** @import { Problem } from "./problem.js" */
/** @import { BacktestResponse, Ruin, RunStatistics } from "../types.d.ts" */
/** @import { Wanted } from "../result/order-view.js" */
/** @import { Mark } from "../result/marks.js" */

const TOLD_APART = 8;
const SECTIONS = "include=trades,benchmark_metrics,rolling,periods,plots,log_lines&conventions=lean";
/** @typedef {Awaited<ReturnType<typeof load>>} Loaded what the page knows of a result */

/** @typedef {"orders" | "trades"} TableName */

/** Of the result that was loaded. */
const tables = { orders: orderColumns([]), trades: tradeColumns([]) };
/** The places of the rows that were asked for last. @type {Record<TableName, {key: string, places: Uint32Array}>} */
const views = { orders: { key: "", places: new Uint32Array() }, trades: { key: "", places: new Uint32Array() } };

const QUESTIONS = { load, rows, find };

self.addEventListener("message", async ({ data: { id, question, details } }) => {
  try {
    self.postMessage({ id, answer: await QUESTIONS[/** @type {keyof typeof QUESTIONS} */ (question)](details) });
  } catch (error) {
    const { title = "The result could not be read.", sentences = [String(error)], status = 0, retrySeconds = null } = /** @type {Partial<Problem>} */ (error);
    self.postMessage({ id, problem: { title, sentences, status, retrySeconds } });
  }
});

/** Everything but the orders themselves. @param {{run: string, headers: Record<string, string>}} from the run's address */
async function load({ run, headers }) {
  const [text, statisticsText] = await Promise.all([`result?${SECTIONS}`, "statistics"].map((part) => fetched(`${run}/${part}`, headers)));
  // Worker and page each count from their own beginning; this clock is one for both.
  const arrivedAt = performance.timeOrigin + performance.now();
  /** @type {BacktestResponse} */
  const { candles: days, orders: fills, holding_weights: weights, benchmark, trades, plots, rolling, ...facts } = JSON.parse(text);
  /** @type {RunStatistics} */
  const statistics = JSON.parse(statisticsText);
  const candles = candleColumns(days);
  const orders = orderColumns(fills);
  Object.assign(tables, { orders, trades: tradeColumns(trades ?? []) });
  views.orders.key = views.trades.key = "";
  const holdings = holdingsOverTime(weights, candles.time, TOLD_APART);
  return {
    facts,
    candles,
    benchmark,
    // It may begin later and end earlier than the run, without a gap between.
    benchmarkFrom: benchmark?.length ? candles.time.indexOf(benchmark[0].time) : 0,
    depths: Float64Array.from(statistics.drawdown),
    worst: statistics.drawdown_periods,
    years: statistics.years,
    holdings,
    colours: symbolColours(holdings.names.filter((name) => name !== OTHERS && name !== SHORT_OTHERS)),
    marks: [...dailyMarks(orders), ...ruinMarks(facts.ruin)],
    orderCount: orders.time.length,
    // Results of earlier versions have none.
    tradeCount: trades ? trades.length : null,
    plots: alignedPlots(plots ?? [], candles.time),
    rolling: rollingPlots(rolling?.windows ?? []),
    arrivedAt,
  };
}

/** @param {Ruin | undefined} ruin @returns {Mark[]} */
function ruinMarks(ruin) {
  return ruin ? [{ time: Date.parse(ruin.date) / 1000, side: -1, count: 1, value: 0, first: -1, symbol: "", reason: "ruin" }] : [];
}

/** @param {string} address @param {Record<string, string>} headers */
async function fetched(address, headers) {
  let answer;
  try {
    answer = await fetch(address, { headers, credentials: "same-origin" });
  } catch {
    throw unreachable();
  }
  if (!answer.ok) throw problemOf(answer.status, await answer.json().catch(() => null), answer.headers.get("Retry-After"));
  return answer.text().catch(() => {
    throw cutOff();
  });
}

/** Some rows of a table. @param {{table: TableName, wanted: Wanted, from: number, count: number}} _ */
function rows({ table, wanted, from, count }) {
  const places = viewOf(table, wanted);
  const shown = places.subarray(from, from + count);
  return { total: places.length, from, rows: Array.from(shown, (place) => rowAt(table, place)) };
}

/** Where a row stands in its table; -1 when the filter leaves it out. @param {{table: TableName, wanted: Wanted, place: number}} _ */
function find({ table, wanted, place }) {
  const at = viewOf(table, wanted).indexOf(place);
  return { at, row: place < tables[table].symbol.length ? rowAt(table, place) : null };
}

/** @param {TableName} table @param {number} place */
function rowAt(table, place) {
  return table === "orders" ? orderAt(tables.orders, place) : tradeAt(tables.trades, place);
}

/** @param {TableName} table @param {Wanted} wanted */
function viewOf(table, wanted) {
  const key = JSON.stringify(wanted);
  if (views[table].key !== key) views[table] = { key, places: rowView(tables[table], wanted) };
  return views[table].places;
}
