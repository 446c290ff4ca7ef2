// What stands where a result will be, before there is one.

import { addressOf } from "../state/address.js";
import { moment, percent, runName, tone, withSign } from "../text/format.js";
import { element, followedHere } from "./dom.js";
import { statusChip } from "./result-head.js";

/** @import { RunSummary } from "../types.d.ts" */

const STEPS = [
  ["Write", "A class with a universe, a cadence and on_data. Mistakes are underlined as you type."],
  ["Run", "It runs in a sandbox that receives one bar at a time: looking ahead is impossible, not just forbidden."],
  ["Judge", "Every order is audited against the prices. Then come chart, metrics, monthly returns, drawdowns and orders."],
];

/** @param {RunSummary[]} runs the latest @param {(hash: string) => void} onOpen */
export function emptyResult(runs, onOpen) {
  const steps = STEPS.map(([name, text]) => element("li", {}, element("strong", {}, name), element("span", {}, text)));
  return element("div.welcome", {}, element("h2", {}, "Post a strategy, get an honest backtest back."), element("ol.steps", {}, ...steps), runs.length > 0 && latest(runs, onOpen));
}

/** @param {RunSummary[]} runs @param {(hash: string) => void} onOpen */
function latest(runs, onOpen) {
  const items = runs.map((run) => {
    const open = followedHere(() => onOpen(run.run_hash));
    const link = element("a", { href: addressOf({ page: "studio", run: run.run_hash }), onclick: open }, runName(run));
    return element("li", {}, link, statusChip(run.status), element("span", { class: `numbers ${tone(run.metrics?.total_return)}` }, withSign(percent, run.metrics?.total_return)), element("span.soft", {}, moment(run.submitted_at)));
  });
  return element("section.latest", { "aria-label": "Latest runs" }, element("h3", {}, "Latest runs"), element("ul", {}, ...items));
}
