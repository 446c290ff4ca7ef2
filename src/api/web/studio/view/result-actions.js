// What can be done with a finished run: share it, keep its files, compute it again, delete it.

import { deleteRun, getRequest, routeAddress, submitRun } from "../service/api.js";
import { announce, element } from "./dom.js";
import { openFile } from "./download.js";

/** @import { RunSummary } from "../types.d.ts" */

/** Path below the run, title, note. */
const FILES = [
  ["artifacts/report.html", "Report", "A single HTML page"],
  ["artifacts/orders.csv", "Orders", "CSV"],
  ["artifacts/trades.csv", "Trades", "CSV"],
  ["equity.csv", "Equity", "CSV, day by day"],
  ["artifacts/equity.parquet", "Equity", "Parquet, day by day"],
  ["artifacts/result.json", "Full result", "JSON"],
  ["bundle.zip", "Bundle", "ZIP, sealed columns with checksums"],
];

/**
 * @param {RunSummary} run
 * @param {object} react
 * @param {(run: RunSummary) => void} react.onAgain it is computed once more
 * @param {() => void} react.onRemoved it is gone
 * @param {(problem: unknown) => void} react.onProblem what the service refused, while the run is shown as it was
 */
export function resultActions(run, { onAgain, onRemoved, onProblem }) {
  const { run_hash: hash } = run;
  const share = element("button", { type: "button", onclick: () => copyAddress(share) }, "Copy link");
  const rerun = async () => onAgain(await computedAgain(hash));
  const again = element("button", { type: "button", onclick: () => during(again, rerun, onProblem), title: "Compute it again and compare the results" }, "Rerun");
  const remove = async () => {
    await deleteRun(hash);
    onRemoved();
  };
  const removal = element("button.quiet", { type: "button", onclick: () => askedTwice(removal, "Really delete?", () => during(removal, remove, onProblem)) }, "Delete");
  return element("div.result-actions", {}, share, run.has_result && fileMenu(hash, onProblem), again, removal);
}

/** Once, however often the button is pressed. @param {HTMLButtonElement} button @param {() => Promise<void>} task @param {(problem: unknown) => void} onProblem */
async function during(button, task, onProblem) {
  button.disabled = true;
  await task().catch(onProblem);
  button.disabled = false;
}

/** Submit the run's own request again, not the editor's present code. @param {string} hash */
async function computedAgain(hash) {
  return (await submitRun(await getRequest(hash), true)).run;
}

/** Links to the run's files. @param {string} hash @param {(problem: unknown) => void} onProblem */
function fileMenu(hash, onProblem) {
  const items = FILES.map(([file, title, note]) => {
    const path = `runs/${hash}/${file}`;
    const name = file.replace(/^.*\//, "");
    /** @param {MouseEvent} event */
    const open = (event) => openFile(event, path, name).catch(onProblem);
    return element("li", {}, element("a", { href: routeAddress(path), download: name, onclick: open }, title, element("small", {}, note)));
  });
  return element("details.menu", {}, element("summary.button", {}, "Download"), element("ul.menu-items", {}, ...items));
}

/** @param {HTMLButtonElement} button */
async function copyAddress(button) {
  try {
    await navigator.clipboard.writeText(location.href);
    sayFor(button, "Copied", 2_000);
  } catch {
    // Refused, or a page without https: the address line has the same.
    sayFor(button, "Copy the page's address", 4_000);
  }
}

/** What cannot be undone is done by the second click. @param {HTMLButtonElement} button @param {string} question @param {() => void} act */
function askedTwice(button, question, act) {
  if (button.textContent === question) return act();
  button.classList.add("danger");
  sayFor(button, question, 4_000, () => button.classList.remove("danger"));
}

/** @type {WeakMap<HTMLButtonElement, {text: string | null, timer: ReturnType<typeof setTimeout> | undefined}>} */
const told = new WeakMap();

/** Another text on a button for a while. @param {HTMLButtonElement} button @param {string} text @param {number} milliseconds @param {() => void} [after] */
function sayFor(button, text, milliseconds, after = () => {}) {
  const before = told.get(button) ?? { text: button.textContent, timer: undefined };
  clearTimeout(before.timer);
  button.textContent = text;
  announce(text);
  before.timer = setTimeout(() => {
    button.textContent = before.text;
    told.delete(button);
    after();
  }, milliseconds);
  told.set(button, before);
}
