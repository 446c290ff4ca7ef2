// One run from its start to its end: live while it runs, then everything that it says.

import { follow } from "../service/follow.js";
import { cancelRun, getRun } from "../service/api.js";
import { Problem, asProblem, problemOfRun } from "../service/problem.js";
import { ResultReader } from "../service/result-reader.js";
import { Latest } from "../state/latest.js";
import { percent, runName } from "../text/format.js";
import { ChartPanel } from "./chart-panel.js";
import { announce, element, fill } from "./dom.js";
import { drawdownTable } from "./drawdown-table.js";
import { inputsView } from "./inputs.js";
import { LiveRun, logView, workingDays } from "./live-run.js";
import { leanMetrics, metricGroups } from "./metrics.js";
import { monthTable } from "./months.js";
import { ORDERS } from "./orders.js";
import { problemBox } from "./problem-box.js";
import { resultActions } from "./result-actions.js";
import { RUIN_WARNING, headlines, isSynthetic, provenanceLine, recomputedNote, ruinBanner, runTitle, syntheticBanner, warningList } from "./result-head.js";
import { RowsTable } from "./rows-table.js";
import { replayed, showSeen } from "./seen-run.js";
import { selectedOrder, selectedTrade } from "./selected.js";
import { Tabs } from "./tabs.js";
import { TRADES, tradesView } from "./trades.js";

/** @import { Look, Metric, ParametersAnswer, Range, RunSummary, Status } from "../types.d.ts" */
/** @import { Loaded } from "../service/result-worker.js" */
/** @import { OrderRow, TradeRow } from "../result/order-view.js" */

const SITE = "HQG Backtester";
/** @type {Partial<Record<Status, string>>} */
const ENDINGS = { succeeded: "has succeeded", failed: "has failed", cancelled: "was cancelled", timed_out: "took too long" };
/** @type {Set<Status>} */
const FINISHED = new Set(["succeeded", "failed", "cancelled", "timed_out"]);

/** The right side of the page. */
export class ResultView {
  #catalogue;
  #react;
  #place = new Latest();
  /** @type {Look} */
  #look = { tab: "", order: null, range: null };
  #head = element("div.result-head");
  #refused = element("div.result-refused");
  #notes = element("div.result-notes");
  #body = element("div.result-body");
  #slots = { metrics: element("div"), months: element("div"), drawdowns: element("div"), trades: element("div"), log: element("div"), inputs: element("div") };
  #chart;
  /** @type {RowsTable<OrderRow>} */
  #orders;
  /** @type {RowsTable<TradeRow>} */
  #trades;
  #tabs;
  /** @type {string | null} hash of the run that this is about from its opening on, "" for none; null before the first */
  about = null;

  /**
   * @param {HTMLElement} host
   * @param {Metric[]} catalogue
   * @param {object} react
   * @param {(change: Partial<Look>) => void} react.onLook tab, order or range changed
   * @param {(problem: Problem) => void} react.onProblem the run's code failed
   * @param {() => void} react.onRemoved
   */
  constructor(host, catalogue, react) {
    this.#catalogue = catalogue;
    this.#react = react;
    this.#chart = new ChartPanel({ onPick: (order) => this.#pick(order), onRange: (range) => react.onLook({ range }) });
    this.#orders = new RowsTable(ORDERS, (order) => this.#showOrder(order));
    this.#trades = new RowsTable(TRADES, (trade) => this.#showTrade(trade));
    const { metrics, months, drawdowns, trades, log, inputs } = this.#slots;
    /** @type {Record<string, [title: string, content: HTMLElement]>} */
    const panels = { metrics: ["Metrics", metrics], months: ["Months", months], drawdowns: ["Drawdowns", drawdowns], trades: ["Trades", trades], orders: ["Orders", this.#orders.view], log: ["Log", log], inputs: ["Inputs", inputs] };
    this.#tabs = new Tabs("Parts of the result", panels, (tab) => react.onLook({ tab }));
    fill(host, this.#head, this.#refused, this.#notes, this.#body);
  }

  /** Something else is shown from now on. @param {string} about @returns {AbortSignal} aborted when the next thing is shown */
  #begin(about) {
    const signal = this.#place.begin();
    this.about = about;
    this.#chart.stop();
    document.title = SITE;
    for (const part of [this.#head, this.#refused, this.#notes, this.#body]) fill(part);
    return signal;
  }

  /** Nothing has been run yet. @param {Element} content @returns {AbortSignal} aborted when something else is shown */
  showEmpty(content) {
    const signal = this.#begin("");
    fill(this.#body, content);
    return signal;
  }

  /** Something that the service refused. @param {unknown} problem @param {string} [about] hash @param {() => void} [onRetry] what may help */
  showProblem(problem, about = "", onRetry = undefined) {
    this.#begin(about);
    fill(this.#refused, problemBox(problem, onRetry));
  }

  /** The service is asked and has not answered. @param {string} sentence @param {string} [about] hash @returns {AbortSignal} as of showEmpty */
  showWaiting(sentence, about = "") {
    const signal = this.#begin(about);
    fill(this.#head, element("p.soft", { role: "status" }, sentence));
    fill(this.#body, element("progress.waiting", { "aria-label": sentence }));
    return signal;
  }

  /**
   * @param {RunSummary} run
   * @param {Look} look
   * @param {Node | null} [note] to be said above it
   */
  async show(run, look, note = null) {
    const signal = this.#begin(run.run_hash);
    this.#look = look;
    document.title = `${runName(run)} · ${SITE}`;
    fill(this.#head, ...runTitle(run, null));
    fill(this.#notes, note);
    try {
      if (!FINISHED.has(run.status)) await this.#live(run, note, signal);
      else if (run.has_result) await this.#finished(run, note, signal);
      else await this.#opened(run, signal);
    } catch (problem) {
      if (!signal.aborted) this.showProblem(problem, run.run_hash, () => this.show(run, this.#look, note));
    }
  }

  /** The run that is shown, looked at in another way. @param {Look} look */
  look(look) {
    this.#look = look;
    if (!this.#tabs.row.isConnected) return;
    this.#tabs.show(look.tab, false);
    this.#chart.chart.showRange(look.range);
    this.#chart.select(null);
    this.#mark(look.order, !look.range);
  }

  /** @param {RunSummary} run @param {Node | null} note @param {AbortSignal} signal */
  async #live(run, note, signal) {
    const live = new LiveRun(() => this.#cancel(run, live, signal));
    fill(this.#body, live.view, this.#chart.view, element("section.live-log", { "aria-label": "Log" }, element("h3", {}, "Log"), live.logView));
    this.#chart.showLive(workingDays(run.start_date, run.end_date));
    let isDrawing = false;
    const draw = () => {
      isDrawing = false;
      if (!signal.aborted) this.#chart.chart.growLive(live.points);
    };
    for await (const event of follow(run.run_hash, signal, (isConnected) => live.showConnection(isConnected))) {
      if (signal.aborted) return;
      live.tell(event);
      if (event.kind === "started") fill(this.#head, ...runTitle({ ...run, status: "running" }, null));
      if (event.kind !== "progress") continue;
      document.title = `${percent(event.data.share, 0)} · ${runName(run)} · ${SITE}`;
      if (!isDrawing) isDrawing = Boolean(requestAnimationFrame(draw));
    }
    if (signal.aborted) return;
    const ended = await getRun(run.run_hash);
    if (signal.aborted) return;
    announce(`The run ${ENDINGS[ended.status] ?? ended.status}.`);
    if (ended.has_result) return this.show(ended, this.#look, note);
    this.about = ended.run_hash;
    document.title = `${runName(ended)} · ${SITE}`;
    this.#failed(ended, signal, live);
  }

  /** @param {RunSummary} run @param {LiveRun} live @param {AbortSignal} signal */
  async #cancel(run, live, signal) {
    try {
      await cancelRun(run.run_hash);
    } catch (problem) {
      // 409: it is over, and its last event is on the way.
      if (signal.aborted || asProblem(problem).status === 409) return;
      live.showNotCancelled();
      fill(this.#refused, problemBox(problem));
    }
  }

  /** @param {RunSummary} run @param {Node | null} note @param {AbortSignal} signal */
  async #finished(run, note, signal) {
    const reader = new ResultReader();
    signal.addEventListener("abort", () => reader.close());
    fill(this.#body, element("p.soft.reading-result", { role: "status" }, "Reading the result…"), element("progress.waiting", { "aria-label": "Reading the result" }));
    const loaded = await reader.load(run.run_hash);
    this.#showResult(run, loaded, note, signal);
    for (const table of [this.#orders, this.#trades]) table.showFrom(reader, loaded.colours);
    this.look(this.#look);
  }

  /** @param {RunSummary} run @param {AbortSignal} signal */
  async #opened(run, signal) {
    this.#failed(run, signal, new LiveRun(() => {}));
    if (!run.progress) return;
    const live = await replayed(run, signal);
    if (!signal.aborted) showSeen(this.#body, this.#chart, run, live, problemOfRun(run).logs);
  }

  /** @param {RunSummary} run @param {AbortSignal} signal @param {LiveRun} live */
  #failed(run, signal, live) {
    const problem = problemOfRun(run);
    fill(this.#head, ...this.#title(run, null, signal));
    fill(this.#notes, problemBox(problem));
    showSeen(this.#body, this.#chart, run, live, problem.logs);
    this.#react.onProblem(problem);
  }

  /** @param {RunSummary} run @param {Loaded} loaded @param {Node | null} note @param {AbortSignal} signal */
  #showResult(run, loaded, note, signal) {
    const { facts } = loaded;
    const areMadeUp = isSynthetic(facts);
    fill(this.#head, ...this.#title(run, facts.parameters, signal), provenanceLine(facts));
    fill(this.#notes, areMadeUp && syntheticBanner(), ruinBanner(facts), note, recomputedNote(run), warningList(facts.warnings.filter((text) => !(areMadeUp && text.startsWith("These prices are synthetic")) && !(facts.ruin && text.startsWith(RUIN_WARNING)))));
    fill(this.#body, headlines(loaded), this.#chart.view, this.#tabs.row, this.#tabs.panels);
    fill(this.#slots.metrics, metricGroups(this.#catalogue, facts.metrics, facts.benchmark_metrics), leanMetrics(facts.metrics_lean));
    fill(this.#slots.months, monthTable(loaded.years, facts.periods?.benchmark_years));
    fill(this.#slots.trades, tradesView(this.#trades.view, loaded.tradeCount, run.run_hash, (problem) => signal.aborted || fill(this.#refused, problemBox(problem))));
    fill(this.#slots.drawdowns, drawdownTable(loaded.worst, loaded.candles.time, (range) => this.#showRange(range)));
    fill(this.#slots.log, logView(facts.logs, facts.log_lines ?? []));
    fill(this.#slots.inputs, inputsView(facts, run));
    this.#tabs.rename("trades", loaded.tradeCount ? `Trades (${loaded.tradeCount.toLocaleString("en-US")})` : "Trades");
    this.#tabs.rename("orders", loaded.orderCount ? `Orders (${loaded.orderCount.toLocaleString("en-US")})` : "Orders");
    this.#tabs.rename("log", facts.logs.length ? `Log (${facts.logs.length.toLocaleString("en-US")})` : "Log");
    this.#chart.showResult(loaded, areMadeUp);
    measurePaint(loaded.arrivedAt);
  }

  /** @param {RunSummary} run @param {ParametersAnswer | null} parameters @param {AbortSignal} signal */
  #title(run, parameters, signal) {
    const [title, facts] = runTitle(run, parameters);
    const actions = resultActions(run, {
      onAgain: (again) => signal.aborted || this.show(again, this.#look),
      onRemoved: () => signal.aborted || this.#react.onRemoved(),
      onProblem: (problem) => signal.aborted || fill(this.#refused, problemBox(problem)),
    });
    return [title, actions, facts];
  }

  /** @param {Range} range */
  #showRange(range) {
    this.#chart.chart.showRange(range);
    this.#chart.view.scrollIntoView({ block: "nearest" });
  }

  /** @param {OrderRow} order */
  #showOrder(order) {
    this.#trades.choose(null);
    this.#chart.select(selectedOrder(order));
    this.#chart.view.scrollIntoView({ block: "nearest" });
    this.#react.onLook({ order: order.place });
    announce(`Order ${order.id}, ${order.side > 0 ? "buy" : "sell"} ${order.symbol}, is shown in the chart.`);
  }

  /** @param {TradeRow} trade */
  #showTrade(trade) {
    this.#orders.choose(null);
    const selected = selectedTrade(trade);
    this.#chart.select(selected);
    this.#chart.view.scrollIntoView({ block: "nearest" });
    this.#react.onLook({ order: null });
    announce(`${selected.text.replace("● ", "")} Shown in the chart.`);
  }

  /** An order that was chosen in the chart is shown in the table. @param {number} place */
  #pick(place) {
    this.#tabs.show("orders");
    return this.#mark(place, false);
  }

  /** Mark an order in table and chart. @param {number | null} place null for none @param {boolean} isMoved whether the chart goes there */
  async #mark(place, isMoved) {
    const order = await this.#orders.choose(place);
    if (!order) return;
    this.#trades.choose(null);
    this.#chart.select(selectedOrder(order), isMoved);
    this.#react.onLook({ order: place });
  }
}

/** Note for bench/studio.py and the browser's timeline how long the result took to be seen. @param {number} arrivedAt milliseconds of the clock that page and worker share */
function measurePaint(arrivedAt) {
  const start = arrivedAt - performance.timeOrigin;
  // The second frame begins when the first has been painted.
  requestAnimationFrame(() => requestAnimationFrame(() => performance.measure("studio-painted", { start })));
}
