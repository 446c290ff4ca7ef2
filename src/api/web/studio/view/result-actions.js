// What can be done with a finished run: share it, keep its files, compute it again, delete it.

import { routeAddress } from "../service/api.js";
import { announce, element } from "./dom.js";
import { openFile } from "./download.js";

const FILES = [
  ["artifacts/report.html", "Report", "One page to keep: HTML without scripts"],
  ["artifacts/orders.csv", "Orders", "CSV"],
  ["artifacts/equity.parquet", "Equity", "Parquet"],
  ["artifacts/result.json", "Everything", "JSON"],
  ["bundle.zip", "Bundle", "All files with their checksums, ZIP"],
];

/**
 * @param {any} run its summary
 * @param {{onAgain: () => void, onRemove: () => void}} react
 */
export function resultActions(run, { onAgain, onRemove }) {
  const share = element("button", { type: "button", onclick: () => copyAddress(share) }, "Copy link");
  const again = element("button", { type: "button", onclick: onAgain, title: "Compute it once more and compare" }, "Rerun");
  const remove = element("button.quiet", { type: "button", onclick: () => askedTwice(remove, "Really delete?", onRemove) }, "Delete");
  return element("div.result-actions", {}, share, run.has_result && fileMenu(run.run_hash), again, remove);
}

/** Links to the run's files. @param {string} hash */
function fileMenu(hash) {
  const items = FILES.map(([path, title, note]) => {
    const address = routeAddress(`runs/${hash}/${path}`);
    const name = path.split("/").at(-1);
    return element("li", {}, element("a", { href: address, download: name, onclick: (event) => openFile(event, address, name) }, title, element("small", {}, note)));
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
