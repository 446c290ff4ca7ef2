// Monthly returns as a heat map that is a table first: every cell says its number.

import { percent, tone } from "../text/format.js";
import { element } from "./dom.js";

/** @import { YearAnswer } from "../types.d.ts" */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const STRONGEST_PERCENT = 62;

/** @param {YearAnswer[]} years @param {YearAnswer[] | null} [benchmark] the same of the benchmark, whose totals stand beside the run's */
export function monthTable(years, benchmark = null) {
  const sizes = years.flatMap(({ months }) => months.map((value) => Math.abs(value ?? 0)));
  const largest = Math.max(...sizes, 1e-9);
  const head = element("tr", {}, element("th", { scope: "col" }, "Year"), ...MONTHS.map((name) => element("th", { scope: "col" }, name)), element("th", { scope: "col" }, "Total"), benchmark && element("th", { scope: "col" }, "Benchmark"));
  const theirs = new Map(benchmark?.map(({ year, total }) => [year, total]));
  const rows = years.map(({ year, months, total }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, String(year)),
      ...months.map((value) => heatCell(value, largest)),
      totalCell(total),
      benchmark && totalCell(theirs.get(year)),
    ),
  );
  const caption = element("caption", {}, "Monthly returns in percent; the stronger the colour, the larger the move.");
  return element("div.table-scroll", { tabindex: 0, role: "region", "aria-label": "Monthly returns" }, element("table.heat", {}, caption, element("thead", {}, head), element("tbody", {}, ...rows)));
}

/** @param {number | null | undefined} total */
function totalCell(total) {
  return element("td", { class: `total ${tone(total, 1)}` }, percent(total, 1));
}

/** @param {number | null} value @param {number} largest */
function heatCell(value, largest) {
  if (value === null) return element("td.no-month", {}, element("span.visually-hidden", {}, "no data"));
  const cell = element(`td.${value < 0 ? "heat-loss" : "heat-gain"}`, {}, percent(value, 1).replace("%", ""));
  // The root lets small months be seen beside a crash.
  cell.style.setProperty("--strength", `${Math.sqrt(Math.abs(value) / largest) * STRONGEST_PERCENT}%`);
  return cell;
}
