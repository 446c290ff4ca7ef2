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
  const remove = element("button.quiet", { type: "button", onclick: onRemove }, "Delete");
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
  const text = button.textContent;
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "It is the page's address";
  }
  announce(button.textContent);
  setTimeout(() => (button.textContent = text), 2_000);
}
