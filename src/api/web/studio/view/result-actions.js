// What can be done with a finished run: share it, keep its files, compute it again, delete it.

import { deleteRun, getRequest, routeAddress, submitRun } from "../service/api.js";
import { announce, element } from "./dom.js";
import { openFile } from "./download.js";

const FILES = [
  ["artifacts/report.html", "Report", "A single HTML page"],
  ["artifacts/orders.csv", "Orders", "CSV"],
  ["equity.csv", "Equity", "CSV, day by day"],
  ["artifacts/equity.parquet", "Equity", "Parquet, day by day"],
  ["artifacts/result.json", "Full result", "JSON"],
  ["bundle.zip", "Bundle", "ZIP, all files with checksums"],
];

/**
 * @param {any} run its summary
 * @param {object} react
 * @param {(run: any) => void} react.onAgain it is computed once more
 * @param {() => void} react.onRemoved it is gone
 * @param {(problem: any) => void} react.onProblem what the service refused, while the run is shown as it was
 */
export function resultActions(run, { onAgain, onRemoved, onProblem }) {
  const { run_hash: hash } = run;
  const share = element("button", { type: "button", onclick: () => copyAddress(share) }, "Copy link");
  const again = element("button", { type: "button", onclick: () => during(again, async () => onAgain(await computedAgain(hash)), onProblem), title: "Compute it again and compare the results" }, "Rerun");
  const removed = () => during(remove, async () => onRemoved(await deleteRun(hash)), onProblem);
  const remove = element("button.quiet", { type: "button", onclick: () => askedTwice(remove, "Really delete?", removed) }, "Delete");
  return element("div.result-actions", {}, share, run.has_result && fileMenu(hash, onProblem), again, remove);
}

/** Once, however often the button is pressed. */
async function during(button, task, onProblem) {
  button.disabled = true;
  await task().catch(onProblem);
  button.disabled = false;
}

/** What made the run is submitted once more, whatever stands in the editor by now. */
async function computedAgain(hash) {
  return (await submitRun(await getRequest(hash), true)).run;
}

/** Links to the run's files. @param {string} hash */
function fileMenu(hash, onProblem) {
  const items = FILES.map(([file, title, note]) => {
    const path = `runs/${hash}/${file}`;
    const name = file.split("/").at(-1);
    const open = (event) => openFile(event, path, name).catch(onProblem);
    return element("li", {}, element("a", { href: routeAddress(path), download: name, onclick: open }, title, element("small", {}, note)));
  });
  return element("details.menu", {}, element("summary.button", {}, "Download"), element("ul.menu-items", {}, ...items));
}

async function copyAddress(button) {
  try {
    await navigator.clipboard.writeText(location.href);
    sayFor(button, "Copied", 2_000);
  } catch {
    // Refused, or a page without https: the address line has the same.
    sayFor(button, "Copy the page's address", 4_000);
  }
}

/** What cannot be undone is done by the second click. */
function askedTwice(button, question, act) {
  if (button.textContent === question) return act();
  button.classList.add("danger");
  sayFor(button, question, 4_000, () => button.classList.remove("danger"));
}

const told = new WeakMap();

/** Another text on a button for a while. */
function sayFor(button, text, milliseconds, after = () => {}) {
  const before = told.get(button) ?? { text: button.textContent, timer: 0 };
  clearTimeout(before.timer);
  button.textContent = text;
  announce(text);
  before.timer = setTimeout(() => ((button.textContent = before.text), told.delete(button), after()), milliseconds);
  told.set(button, before);
}
