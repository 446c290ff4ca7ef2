// One run from its start to its end: live while it runs, then everything that it says.

import { follow } from "../service/follow.js";
import { getRun, removeRun } from "../service/api.js";
import { problemOfRun } from "../service/problem.js";
import { ResultReader } from "../service/result-reader.js";
import { percent, runName } from "../text/format.js";
import { ChartPanel } from "./chart-panel.js";
import { announce, element, fill } from "./dom.js";
import { drawdownTable } from "./drawdown-table.js";
import { inputsView } from "./inputs.js";
import { LiveRun, logView, workingDays } from "./live-run.js";
import { metricGroups } from "./metrics.js";
import { monthTable } from "./months.js";
import { OrdersTable } from "./orders.js";
import { problemBox } from "./problem-box.js";
import { resultActions } from "./result-actions.js";
import { headlines, isSynthetic, provenanceLine, recomputedNote, runTitle, syntheticBanner, warningList } from "./result-head.js";
import { Tabs } from "./tabs.js";

const SITE = "HQG Backtester";
const ENDINGS = { succeeded: "has succeeded", failed: "has failed", cancelled: "was cancelled", timed_out: "took too long" };
const FINISHED = new Set(["succeeded", "failed", "cancelled", "timed_out"]);

/** The right side of the page. */
export class ResultView {
  #host;
  #catalogue;
  #react;
  #reader = null;
  #following = null;
  #head = element("div.result-head");
  #notes = element("div.result-notes");
  #body = element("div.result-body");
  #slots = { metrics: element("div"), months: element("div"), drawdowns: element("div"), log: element("div"), inputs: element("div") };
  #chart;
  #orders;
  #tabs;
  #run = null;

  /**
   * @param {HTMLElement} host
   * @param {import("./metrics.js").Metric[]} catalogue
   * @param {object} react
   * @param {(change: object) => void} react.onLook tab, order or range changed
   * @param {(problem: any) => void} react.onProblem the run's code failed
   * @param {(run: any) => void} react.onAgain it is to be computed once more
   * @param {() => void} react.onRemoved
   */
  constructor(host, catalogue, react) {
    [this.#host, this.#catalogue, this.#react] = [host, catalogue, react];
    this.#chart = new ChartPanel({ onPick: (order) => this.selectOrder(order, false), onRange: (range) => react.onLook({ range }) });
    this.#orders = new OrdersTable((order) => this.#showOrder(order));
    const { metrics, months, drawdowns, log, inputs } = this.#slots;
    const panels = { metrics: ["Metrics", metrics], months: ["Months", months], drawdowns: ["Drawdowns", drawdowns], orders: ["Orders", this.#orders.view], log: ["Log", log], inputs: ["Inputs", inputs] };
    this.#tabs = new Tabs("Parts of the result", panels, (tab) => react.onLook({ tab }));
    fill(host, this.#head, this.#notes, this.#body);
  }

  /** Nothing has been run yet. @param {Element} content @returns {Element} it, connected for as long as it is what is shown */
  showEmpty(content) {
    this.#leave();
    fill(this.#head);
    fill(this.#notes);
    fill(this.#body, content);
    return content;
  }

  /** Something that the service refused. @param {any} problem @param {() => void} [onRetry] what may help */
  showProblem(problem, onRetry) {
    this.#leave();
    fill(this.#head);
    fill(this.#notes, problemBox(problem, ...retryButton(problem, onRetry)));
    fill(this.#body);
  }

  /** The service is asked and has not answered. @param {string} sentence @returns {Element} connected for as long as it waits */
  showWaiting(sentence) {
    this.#leave();
    const bar = element("progress.waiting", { "aria-label": sentence });
    fill(this.#head, element("p.soft", { role: "status" }, sentence));
    fill(this.#notes);
    fill(this.#body, bar);
    return bar;
  }

  /**
   * @param {any} run its summary
   * @param {{tab?: string, order?: number | null, range?: [number, number] | null, note?: Node | null}} look
   */
  async show(run, look = {}) {
    this.#leave();
    this.#run = run;
    document.title = `${runName(run)} · ${SITE}`;
    if (FINISHED.has(run.status)) return this.#finished(run, look);
    await this.#live(run, look);
  }

  #leave() {
    this.#following?.abort();
    this.#reader?.close();
    [this.#following, this.#reader, this.#run] = [null, null, null];
    document.title = SITE;
  }

  async #live(run, look) {
    const following = (this.#following = new AbortController());
    const live = new LiveRun(() => this.#cancel(run, live));
    fill(this.#head, runTitle(run, null));
    fill(this.#notes, look.note);
    fill(this.#body, live.view, this.#chart.view, element("section.live-log", { "aria-label": "Log" }, element("h3", {}, "Log"), live.logView));
    this.#chart.showLive(workingDays(run.start_date, run.end_date));
    let isDrawing = false;
    const draw = () => {
      isDrawing = false;
      if (!following.signal.aborted) this.#chart.chart.growLive(live.points);
    };
    try {
      for await (const event of follow(run.run_hash, following.signal, (isConnected) => live.showConnection(isConnected))) {
        live.tell(event);
        if (event.kind === "started") fill(this.#head, runTitle({ ...run, status: "running" }, null));
        if (event.kind !== "progress") continue;
        document.title = `${percent(event.data.share, 0)} · ${runName(run)} · ${SITE}`;
        if (!isDrawing) isDrawing = Boolean(requestAnimationFrame(draw));
      }
      if (!following.signal.aborted) await this.#ended(run.run_hash, look, following.signal);
    } catch (problem) {
      // Gone for good is another thing than out of sight.
      if (!following.signal.aborted) this.showProblem(problem, problem.status === 404 ? undefined : () => this.show(run, look));
    }
  }

  async #ended(hash, look, signal) {
    const run = await getRun(hash);
    // Whoever opened another run meanwhile stays there.
    if (signal.aborted) return;
    announce(`The run ${ENDINGS[run.status] ?? run.status}.`);
    await this.show(run, look);
  }

  async #cancel(run, live) {
    try {
      await removeRun(run.run_hash);
    } catch (problem) {
      live.showNotCancelled();
      if (run === this.#run) fill(this.#notes, problemBox(problem));
    }
  }

  async #finished(run, look) {
    if (!run.has_result) return this.#failed(run);
    const reader = (this.#reader = new ResultReader());
    fill(this.#head, runTitle(run, null));
    fill(this.#notes, look.note);
    fill(this.#body, element("p.soft.reading-result", { role: "status" }, "Reading the result …"), element("progress.waiting", { "aria-label": "Reading the result" }));
    try {
      const loaded = await reader.load(run.run_hash);
      if (reader === this.#reader) await this.#showResult(run, loaded, look);
    } catch (problem) {
      if (reader === this.#reader) this.showProblem(problem, () => this.show(run, look));
    }
  }

  #failed(run) {
    const problem = problemOfRun(run);
    fill(this.#head, ...this.#title(run, null));
    fill(this.#notes, problemBox(problem));
    fill(this.#body, problem.logs.length ? element("section.live-log", { "aria-label": "Log" }, element("h3", {}, "Log"), logView(problem.logs)) : null);
    this.#react.onProblem(problem);
  }

  async #showResult(run, loaded, look) {
    const { facts } = loaded;
    const areMadeUp = isSynthetic(facts);
    fill(this.#head, ...this.#title(run, facts.parameters), provenanceLine(facts));
    fill(this.#notes, areMadeUp && syntheticBanner(), look.note, recomputedNote(run), warningList(facts.warnings.filter((text) => !(areMadeUp && text.startsWith("These prices are synthetic")))));
    fill(this.#body, headlines(loaded), this.#chart.view, this.#tabs.row, this.#tabs.panels);
    fill(this.#slots.metrics, metricGroups(this.#catalogue, facts.metrics));
    fill(this.#slots.months, monthTable(loaded.years));
    fill(this.#slots.drawdowns, drawdownTable(loaded.worst, loaded.candles.time, (range) => this.#showRange(range)));
    fill(this.#slots.log, logView(facts.logs));
    fill(this.#slots.inputs, inputsView(facts, run));
    this.#tabs.rename("orders", loaded.orderCount ? `Orders (${loaded.orderCount.toLocaleString("en-US")})` : "Orders");
    this.#tabs.rename("log", facts.logs.length ? `Log (${facts.logs.length.toLocaleString("en-US")})` : "Log");
    this.#chart.showResult(loaded, areMadeUp);
    measurePaint(loaded.arrivedAt);
    this.#tabs.show(look.tab ?? "metrics", false);
    const reader = this.#reader;
    await this.#orders.showFrom(reader);
    if (reader !== this.#reader) return;
    if (look.range) this.#chart.chart.showRange(look.range);
    if (look.order !== null && look.order !== undefined) await this.selectOrder(look.order, !look.range);
  }

  #title(run, parameters) {
    const [title, facts] = runTitle(run, parameters);
    const actions = resultActions(run, { onAgain: () => this.#react.onAgain(run), onRemove: () => this.#remove(run) });
    return [title, actions, facts];
  }

  async #remove(run) {
    try {
      await removeRun(run.run_hash);
      if (run === this.#run) this.#react.onRemoved();
    } catch (problem) {
      if (run === this.#run) fill(this.#notes, problemBox(problem));
    }
  }

  #showRange(range) {
    this.#chart.chart.showRange(range);
    this.#chart.view.scrollIntoView({ block: "nearest" });
  }

  #showOrder(order) {
    this.#chart.select(order);
    this.#chart.view.scrollIntoView({ block: "nearest" });
    this.#react.onLook({ order: order.place });
    announce(`Order ${order.id}, ${order.side > 0 ? "buy" : "sell"} ${order.symbol}, is shown in the chart.`);
  }

  /** Show an order in table and chart. @param {number} place @param {boolean} isMoved whether the chart goes there */
  async selectOrder(place, isMoved = true) {
    this.#tabs.show("orders");
    const reader = this.#reader;
    const order = await this.#orders.choose(place);
    if (!order || reader !== this.#reader) return;
    this.#chart.select(order, isMoved);
    this.#react.onLook({ order: place });
  }

  /** The run that is shown, null for none. */
  get run() {
    return this.#run;
  }
}

/** A refusal that says what to change needs no second try; all else may go well next time. */
function retryButton(problem, onRetry) {
  const isHopeless = !onRetry || problem.status === 404 || problem.status === 403;
  return isHopeless ? [] : [element("button", { type: "button", onclick: onRetry }, "Try again")];
}

/** Note for tests, and for whoever looks into the browser's timeline, how long the result took to be seen. */
function measurePaint(arrivedAt) {
  const start = arrivedAt - performance.timeOrigin;
  // The second frame begins when the first has been painted.
  requestAnimationFrame(() => requestAnimationFrame(() => performance.measure("studio-painted", { start })));
}
