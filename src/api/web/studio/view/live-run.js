// A run that goes on: where it stands, how far it is, what it prints, and how it is ended.

import { counted, isoDate, money, percent, wholeNumber } from "../text/format.js";
import { element, fill } from "./dom.js";

/** @import { BenchmarkPoint, LogLine, ProgressAnswer, RunEvent } from "../types.d.ts" */

const MOST_LINES = 2_000;

/** The bar, the numbers beside it and the log of one run. */
export class LiveRun {
  #bar = element("progress", { max: 1, "aria-label": "Progress of the run" });
  #where = element("span.live-where", {}, "Reading the code and fetching prices…");
  #connection = element("span.soft", { role: "status" });
  #cancel;
  /** @type {string[]} */
  #lines = [];
  #log = element("ol.log-lines");
  /** @type {BenchmarkPoint[]} */
  #points = [];

  /** @param {() => void} onCancel */
  constructor(onCancel) {
    const cancel = () => {
      this.#ending();
      onCancel();
    };
    this.#cancel = element("button.danger", { type: "button", onclick: cancel }, "Cancel");
    this.view = element("div.live", {}, element("div.live-head", {}, this.#where, this.#connection, this.#cancel), this.#bar);
    this.logView = element("div.log", { tabindex: 0, role: "log", "aria-label": "Strategy output" }, this.#log);
  }

  /** Equity by day so far, for the chart. */
  get points() {
    return this.#points;
  }

  /** @param {RunEvent} event */
  tell({ kind, data }) {
    if (kind === "queued") this.#where.textContent = queuedText(data.position);
    else if (kind === "started") this.#started(data.attempt);
    else if (kind === "progress") this.#progressed(data);
    else if (kind === "log") this.addLines(data.lines);
  }

  /** @param {number} attempt */
  #started(attempt) {
    this.#where.textContent = attempt > 1 ? `Restarted (attempt ${attempt})…` : "Started…";
    // A new attempt begins at the first day, and prints everything again.
    [this.#points, this.#lines] = [[], []];
    fill(this.#log);
    this.#bar.removeAttribute("value");
  }

  /** @param {ProgressAnswer} progress */
  #progressed({ share, day, equity }) {
    this.#bar.value = share;
    this.#bar.textContent = percent(share, 0);
    fill(this.#where, element("strong.numbers", {}, day), ` · ${percent(share, 0)} of the days · equity ${money(equity)}`);
    const time = Date.parse(`${day}T00:00:00Z`) / 1000;
    if (time <= (this.#points.at(-1)?.time ?? -Infinity)) return;
    this.#points.push({ time, value: equity });
  }

  /** @param {string[]} lines */
  addLines(lines) {
    const isAtEnd = this.logView.scrollTop + this.logView.clientHeight >= this.logView.scrollHeight - 8;
    this.#lines.push(...lines);
    this.#log.append(...lines.slice(-MOST_LINES).map((line) => element("li", {}, line)));
    while (this.#log.childElementCount > MOST_LINES) this.#log.firstElementChild?.remove();
    this.#log.setAttribute("start", String(Math.max(1, this.#lines.length - MOST_LINES + 1)));
    if (isAtEnd) this.logView.scrollTop = this.logView.scrollHeight;
  }

  /** What was printed so far. @returns {string[]} */
  get lines() {
    return this.#lines;
  }

  /** @param {boolean} isConnected */
  showConnection(isConnected) {
    this.#connection.textContent = isConnected ? "" : "Connection lost, reconnecting…";
  }

  /** The service did not take it. */
  showNotCancelled() {
    this.#cancel.disabled = false;
    this.#cancel.textContent = "Cancel";
  }

  #ending() {
    this.#cancel.disabled = true;
    this.#cancel.textContent = "Cancelling…";
  }
}

/** @param {number} position */
function queuedText(position) {
  return position ? `Waiting: ${counted(position, "run")} ahead of it` : "Next in line…";
}

/** Working days between two days, both included, as a scale of time to draw on. @param {string} from @param {string} to */
export function workingDays(from, to) {
  const [first, last] = [from, to].map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  const days = [];
  for (let day = first; day <= last; day += 86_400) {
    const weekday = new Date(day * 1000).getUTCDay();
    if (weekday !== 0 && weekday !== 6) days.push(day);
  }
  return days;
}

/** A finished run's log. @param {string[]} lines @param {LogLine[]} [dated] the same with their days; results of earlier versions have none */
export function logView(lines, dated = []) {
  if (!lines.length && !dated.length) return element("p.empty", {}, "The strategy printed nothing. Output of self.log(…) and print(…) appears here.");
  const told = dated.length ? dated : lines.map((line) => ({ time: null, line }));
  const shown = told.slice(0, MOST_LINES).map(({ time, line }) => element("li", {}, time !== null && element("time", {}, isoDate(time)), line));
  const more = told.length > MOST_LINES ? element("p.soft", {}, `${wholeNumber(told.length - MOST_LINES)} more lines are in result.json.`) : null;
  return element("div", {}, element("div.log", { tabindex: 0, role: "region", "aria-label": "Strategy output" }, element("ol.log-lines", {}, ...shown)), more);
}

