// The metrics in their groups: label, value with its unit, the benchmark's, one line of explanation, and why one is undefined.

import { NOTHING, percent, plainNumber, wholeNumber, withSign } from "../text/format.js";
import { element } from "./dom.js";

/** @import { Metric, Metrics } from "../types.d.ts" */

/** @param {Pick<Metric, "unit">} metric @param {number | null | undefined} value */
export function metricText({ unit }, value) {
  if (value === null || value === undefined) return NOTHING;
  if (unit === "fraction") return percent(value);
  if (unit === "days" || unit === "count") return wholeNumber(value);
  if (unit === "basis points") return `${plainNumber(value, 1)} bps`;
  return plainNumber(value, Math.abs(value) >= 100 ? 1 : 2);
}

/** How a metric differs, in its own unit; percent of percent would be read wrongly, so those are points. @param {Pick<Metric, "unit">} metric @param {number | null | undefined} value */
export function differenceText(metric, value) {
  if (value === null || value === undefined) return "";
  if (metric.unit === "fraction") return `${withSign(plainNumber, value * 100)} pp`;
  return withSign((/** @type {number} */ number) => metricText(metric, number), value);
}

/** @type {Partial<Record<Metric["unit"], string>>} */
const UNIT_NAMES = { days: "days", count: "" };

/** @param {Metric[]} catalogue @param {Metrics} metrics of a result @param {Metrics | null} [benchmark] of its benchmark, a column in the groups where it has any */
export function metricGroups(catalogue, metrics, benchmark = null) {
  /** @type {Map<string, Metric[]>} */
  const groups = new Map();
  for (const metric of catalogue) groups.set(metric.group, [...(groups.get(metric.group) ?? []), metric]);
  const lists = [...groups].map(([group, entries]) => {
    const beside = entries.some(({ name }) => typeof benchmark?.[name] === "number") ? benchmark : null;
    const heads = beside && element("p.metric-heads.soft", { "aria-hidden": "true" }, element("span", {}, "Strategy"), element("span.metric-benchmark", {}, "Benchmark"));
    return element(
      "section.metric-group",
      { "aria-label": group },
      element("h3", {}, group),
      heads,
      element(`dl${beside ? ".with-benchmark" : ""}`, {}, ...entries.map((metric) => row(metric, metrics, beside))),
    );
  });
  return element("div.metric-groups", {}, ...lists);
}

/** @param {Metric} metric @param {Metrics} metrics @param {Metrics | null} benchmark */
function row(metric, metrics, benchmark) {
  const value = metrics[metric.name];
  const reason = metrics.undefined?.[metric.name];
  const isUndefined = value === null || value === undefined;
  return element(
    "div.metric",
    { "data-metric": metric.name },
    element("dt", {}, metric.label),
    element("dd.metric-value", {}, ...valueAndUnit(metric, value)),
    benchmark && element("dd.metric-benchmark", {}, element("span.visually-hidden", {}, "Benchmark: "), ...valueAndUnit(metric, benchmark[metric.name])),
    isUndefined && element("dd.metric-reason", {}, `Undefined: ${reason ?? "not given"}.`),
    element("dd.metric-explanation", {}, metric.explanation),
  );
}

/** @param {Metric} metric @param {number | null | undefined} value */
function valueAndUnit(metric, value) {
  const isUndefined = value === null || value === undefined;
  const unit = isUndefined ? "" : value === 1 && metric.unit === "days" ? "day" : UNIT_NAMES[metric.unit];
  return [metricText(metric, value), unit ? element("small", {}, ` ${unit}`) : null];
}

/** The same run as LEAN measures it, when a person asks. @param {Record<string, unknown> | null | undefined} metrics */
export function leanMetrics(metrics) {
  if (!metrics) return null;
  /** @param {[name: string, value: unknown][]} entries */
  const list = (entries) => entries.flatMap(([name, value]) => (typeof value === "number" ? [element("dt", {}, name.replaceAll("_", " ")), element("dd.numbers", {}, plainNumber(value, Number.isInteger(value) ? 0 : 4))] : []));
  const trades = Object.entries(metrics.trade_statistics ?? {});
  return element(
    "details.lean-metrics",
    {},
    element("summary", {}, "As QuantConnect's LEAN defines them"),
    element("p.soft.order-note", {}, "Calendar days annualised by 252, years of 365 days, 0 where undefined; fractions, not percent."),
    element("dl.facts.lean", {}, ...list(Object.entries(metrics))),
    element("h3", {}, "Trades"),
    element("dl.facts.lean", {}, ...list(trades)),
  );
}
