// The metrics in their groups: label, value with its unit, one line of explanation, and why one is undefined.

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

/** @param {Metric[]} catalogue @param {Metrics} metrics of a result */
export function metricGroups(catalogue, metrics) {
  /** @type {Map<string, Metric[]>} */
  const groups = new Map();
  for (const metric of catalogue) groups.set(metric.group, [...(groups.get(metric.group) ?? []), metric]);
  const lists = [...groups].map(([group, entries]) =>
    element(
      "section.metric-group",
      { "aria-label": group },
      element("h3", {}, group),
      element("dl", {}, ...entries.map((metric) => row(metric, metrics))),
    ),
  );
  return element("div.metric-groups", {}, ...lists);
}

/** @param {Metric} metric @param {Metrics} metrics */
function row(metric, metrics) {
  const value = metrics[metric.name];
  const reason = metrics.undefined?.[metric.name];
  const isUndefined = value === null || value === undefined;
  const unit = isUndefined ? "" : value === 1 && metric.unit === "days" ? "day" : UNIT_NAMES[metric.unit];
  return element(
    "div.metric",
    { "data-metric": metric.name },
    element("dt", {}, metric.label),
    element("dd.metric-value", {}, metricText(metric, value), unit ? element("small", {}, ` ${unit}`) : null),
    isUndefined && element("dd.metric-reason", {}, `Undefined: ${reason ?? "not given"}.`),
    element("dd.metric-explanation", {}, metric.explanation),
  );
}
