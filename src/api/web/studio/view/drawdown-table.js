// The worst drawdowns; one that is clicked is shown in the chart.

import { percent, wholeNumber } from "../text/format.js";
import { element } from "./dom.js";

/** @import { DrawdownPeriodAnswer, Range } from "../types.d.ts" */

const HEADS = [["#", ".number"], ["Depth", ".number"], ["Peak", ""], ["Trough", ""], ["Recovered", ""], ["Trading days", ".number"], ["", ""]];

/**
 * @param {DrawdownPeriodAnswer[]} worst
 * @param {ArrayLike<number>} times of the days
 * @param {(range: Range) => void} onShow
 */
export function drawdownTable(worst, times, onShow) {
  if (!worst.length) return element("p.empty", {}, "Equity never closed below an earlier close.");
  const rows = worst.map(({ depth, peak, trough, recovery, n_days: days }, rank) => {
    const range = /** @type {Range} */ ([peak ? secondsOf(peak) : times[0], recovery ? secondsOf(recovery) : times[times.length - 1]]);
    const show = element("button.link", { type: "button", onclick: () => onShow(range), "aria-label": `Show drawdown ${rank + 1} in the chart` }, "Show");
    return element(
      "tr",
      {},
      element("td.number", {}, String(rank + 1)),
      element("td.number.loss", {}, percent(-depth)),
      element("td", {}, peak ?? "before the first day"),
      element("td", {}, trough),
      element("td", {}, recovery ?? "not yet"),
      element("td.number", {}, wholeNumber(days)),
      element("td", {}, show),
    );
  });
  const head = element("tr", {}, ...HEADS.map(([text, kind]) => (text ? element(`th${kind}`, { scope: "col" }, text) : element("td"))));
  const caption = element("caption", {}, "From each peak to the first day at or above it again, deepest first.");
  return element("div.table-scroll", { tabindex: 0, role: "region", "aria-label": "Worst drawdowns" }, element("table.plain", {}, caption, element("thead", {}, head), element("tbody", {}, ...rows)));
}

/** Midnight UTC of an ISO date, in Unix seconds. @param {string} day */
function secondsOf(day) {
  return Date.parse(day) / 1000;
}
