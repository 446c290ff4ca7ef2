// The page's side of the worker that holds a result.

import { tokenHeaders } from "../state/token.js";
import { routeAddress, wantToken } from "./api.js";
import { Problem, unreachable } from "./problem.js";

/** @import { Wanted } from "../result/order-view.js" */
/** @import { Loaded, TableName } from "./result-worker.js" */
/** @import { Found } from "./problem.js" */

/** One result; `close` it when another one is shown. */
export class ResultReader {
  #worker = new Worker(new URL("result-worker.js", import.meta.url), { type: "module" });
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (problem: Problem) => void}>} */
  #waiting = new Map();
  #lastId = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data }) => this.#answered(data));
    this.#worker.addEventListener("error", (event) => this.#broke(event.message));
  }

  /** Fetch and read the result of a run. @param {string} hash @returns {Promise<Loaded>} */
  load(hash) {
    const run = new URL(routeAddress(`runs/${hash}`), document.baseURI).href;
    return this.#ask("load", { run, headers: { Accept: "application/json", ...tokenHeaders() } });
  }

  /** @param {TableName} table @param {Wanted} wanted @param {number} from @param {number} count @returns {Promise<{total: number, from: number, rows: any[]}>} */
  rows(table, wanted, from, count) {
    return this.#ask("rows", { table, wanted, from, count });
  }

  /** Where a row stands among the wanted ones. @param {TableName} table @param {Wanted} wanted @param {number} place @returns {Promise<{at: number, row: any}>} */
  find(table, wanted, place) {
    return this.#ask("find", { table, wanted, place });
  }

  /** Questions still open are never answered. */
  close() {
    this.#worker.terminate();
    this.#waiting.clear();
  }

  /** @param {"load" | "rows" | "find"} question @param {object} details @returns {Promise<any>} */
  #ask(question, details) {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, question, details });
    });
  }

  /** @param {{id: number, answer: any, problem?: Found & {title: string}}} data */
  #answered({ id, answer, problem }) {
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (problem?.status === 401) wantToken();
    if (problem) reject?.(new Problem(problem.title, problem));
    else resolve?.(answer);
  }

  /** @param {string} message */
  #broke(message) {
    // Without a message, the worker itself could not be fetched.
    const problem = message ? new Problem("The result could not be read.", { sentences: [message] }) : unreachable();
    for (const { reject } of this.#waiting.values()) reject(problem);
    this.#waiting.clear();
  }
}
