// Past runs: filtered, page by page, some of them chosen for a comparison.

import { listRuns } from "../service/api.js";
import { addressOf } from "../state/address.js";
import { Latest } from "../state/latest.js";
import { moment, percent, plainNumber, runName, tone, withSign } from "../text/format.js";
import { element, fill, followedHere } from "./dom.js";
import { problemBox } from "./problem-box.js";
import { statusChip, symbolsText } from "./result-head.js";

/** @import { RunSummary } from "../types.d.ts" */

const PAGE = "25";
const PAUSE_MS = 300;
const HEADS = [["Run", ""], ["Return", ".number"], ["Sharpe", ".number"], ["Drawdown", ".number"], ["Status", ""], ["Symbols", ""], ["Window", ""], ["Submitted", ""]];
const STATUSES = { "": "Any status", succeeded: "Succeeded", failed: "Failed", running: "Running", queued: "Waiting", cancelled: "Cancelled", timed_out: "Timed out" };

/** The list of past runs. */
export class RunList {
  #react;
  /** @type {Set<string>} */
  #chosen = new Set();
  #body = element("tbody");
  #more = element("button", { type: "button", hidden: true, onclick: () => this.#load(false) }, "Show more");
  #status = element("p.soft", { role: "status" });
  #compare = element("button.main", { type: "button", onclick: () => this.#react.onCompare([...this.#chosen]) });
  #filter = {
    name: element("input", { type: "search", placeholder: "Name", "aria-label": "Name contains", oninput: () => this.#soon() }),
    symbol: element("input", { type: "search", placeholder: "Symbol", "aria-label": "Symbol", oninput: () => this.#soon() }),
    status: element("select", { "aria-label": "Status", onchange: () => this.#load(true) }, ...Object.entries(STATUSES).map(([value, text]) => element("option", { value }, text))),
    since: element("input", { type: "date", "aria-label": "Submitted since", onchange: () => this.#load(true) }),
  };
  #cursor = "";
  #place = new Latest();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {{onOpen: (hash: string) => void, onCompare: (hashes: string[]) => void}} react */
  constructor(react) {
    this.#react = react;
    const { name, symbol, status, since } = this.#filter;
    const head = element("tr", {}, element("td"), ...HEADS.map(([text, kind]) => element(`th${kind}`, { scope: "col" }, text)));
    const table = element("table.plain.run-table", {}, element("caption.visually-hidden", {}, "Past runs, newest first"), element("thead", {}, head), this.#body);
    const bar = element("div.run-filter", { role: "search", "aria-label": "Past runs" }, name, symbol, status, element("label.check", {}, "Since", since), this.#compare);
    this.view = element("section.run-list", { "aria-label": "Past runs" }, element("h2", {}, "Past runs"), bar, element("div.table-scroll", { tabindex: 0, role: "region", "aria-label": "Runs" }, table), this.#status, this.#more);
    this.#showChosen();
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(true), PAUSE_MS);
  }

  /** Read the list anew. */
  refresh() {
    return this.#load(true);
  }

  /** @param {boolean} isFirst */
  async #load(isFirst) {
    const signal = this.#place.begin();
    const { name, symbol, status, since } = this.#filter;
    const filter = { name: name.value.trim(), symbol: symbol.value.trim().toUpperCase(), status: status.value, since: since.value && `${since.value}T00:00:00Z` };
    try {
      const page = await listRuns({ ...filter, limit: PAGE, cursor: isFirst ? "" : this.#cursor });
      if (signal.aborted) return;
      if (isFirst) fill(this.#body);
      this.#body.append(...page.runs.map((run) => this.#row(run)));
      this.#cursor = page.next_cursor ?? "";
      this.#more.hidden = !page.next_cursor;
      this.#status.textContent = this.#body.childElementCount ? "" : "No matching runs. Runs you start in the studio are kept here.";
    } catch (problem) {
      if (!signal.aborted) fill(this.#status, problemBox(problem, () => this.#load(isFirst)));
    }
  }

  /** @param {RunSummary} run */
  #row(run) {
    const { run_hash: hash, metrics } = run;
    const name = runName(run);
    const check = element("input", { type: "checkbox", "aria-label": `Compare ${name}, ${hash.slice(0, 6)}`, disabled: !run.has_result, checked: this.#chosen.has(hash), onchange: () => this.#choose(hash, check.checked) });
    const open = element("a", { href: addressOf({ page: "studio", run: hash }), onclick: followedHere(() => this.#react.onOpen(hash)) }, name);
    const total = metrics?.total_return;
    return element(
      "tr",
      {},
      element("td.choice", {}, check),
      element("td.run-name", {}, open, element("div.mono.soft", {}, hash.slice(0, 10))),
      element("td", { class: `number ${tone(total)}` }, withSign(percent, total)),
      element("td.number", {}, plainNumber(metrics?.sharpe_ratio)),
      element("td.number", {}, percent(metrics?.max_drawdown && -metrics.max_drawdown)),
      element("td", { title: run.error?.errors?.[0] }, statusChip(run.status)),
      element("td", {}, symbolsText(run.symbols)),
      element("td.window", {}, `${run.start_date} – ${run.end_date}`),
      element("td.window", {}, moment(run.submitted_at)),
    );
  }

  /** @param {string} hash @param {boolean} isChosen */
  #choose(hash, isChosen) {
    if (isChosen) this.#chosen.add(hash);
    else this.#chosen.delete(hash);
    this.#showChosen();
  }

  #showChosen() {
    const count = this.#chosen.size;
    this.#compare.disabled = count < 2;
    this.#compare.textContent = count < 2 ? "Select two or more to compare" : `Compare ${count} runs`;
  }
}
