// Reads a result beside the page: a hundred megabytes of JSON must not freeze what a person is looking at.
// It keeps the orders and answers questions about them.

import { candleColumns, orderColumns } from "../result/columns.js";
import { OTHERS, holdingsOverTime } from "../result/holdings.js";
import { dailyMarks } from "../result/marks.js";
import { orderAt, orderView } from "../result/order-view.js";
import { symbolColours } from "../result/symbol-colours.js";
import { cutOff, problemOf, unreachable } from "./problem.js";

/** @import { Problem } from "./problem.js" */
/** @import { BacktestResponse, RunStatistics } from "../types.d.ts" */
/** @import { Wanted } from "../result/order-view.js" */
/** @import { Orders } from "../result/columns.js" */

const TOLD_APART = 8;
/** @typedef {Awaited<ReturnType<typeof load>>} Loaded what the page knows of a result */

/** Of the result that was loaded. */
let orders = orderColumns([]);
/** The places of the orders that were asked for last. @type {{key: string, places: Uint32Array}} */
let view = { key: "", places: new Uint32Array() };

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
  const [text, statisticsText] = await Promise.all(["result", "statistics"].map((part) => fetched(`${run}/${part}`, headers)));
  // Worker and page each count from their own beginning; this clock is one for both.
  const arrivedAt = performance.timeOrigin + performance.now();
  /** @type {BacktestResponse} */
  const { candles: days, orders: fills, holding_weights: weights, benchmark, ...facts } = JSON.parse(text);
  /** @type {RunStatistics} */
  const statistics = JSON.parse(statisticsText);
  const candles = candleColumns(days);
  orders = orderColumns(fills);
  view = { key: "", places: new Uint32Array() };
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
    colours: symbolColours(holdings.names.filter((name) => name !== OTHERS)),
    marks: dailyMarks(orders),
    orderCount: orders.time.length,
    arrivedAt,
  };
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

/** Some rows of the table. @param {{wanted: Wanted, from: number, count: number}} _ */
function rows({ wanted, from, count }) {
  const places = viewOf(wanted);
  const shown = places.subarray(from, from + count);
  return { total: places.length, from, rows: Array.from(shown, (place) => orderAt(orders, place)) };
}

/** Where an order stands in the table; -1 when the filter leaves it out. @param {{wanted: Wanted, place: number}} _ */
function find({ wanted, place }) {
  const row = viewOf(wanted).indexOf(place);
  return { row, order: place < orders.time.length ? orderAt(orders, place) : null };
}

/** @param {Wanted} wanted */
function viewOf(wanted) {
  const key = JSON.stringify(wanted);
  if (view.key !== key) view = { key, places: orderView(orders, wanted) };
  return view.places;
}
