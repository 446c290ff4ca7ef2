// Provenance and settings: everything that decides the result, so that it can be made again.

import { settingsOf } from "../text/settings.js";
import { NOTHING, duration, moment, wholeNumber } from "../text/format.js";
import { element } from "./dom.js";
import { isSynthetic } from "./result-head.js";

/** @import { Facts, RunSummary, SymbolOrigin, TimingsMs } from "../types.d.ts" */

/** @param {Facts} facts @param {RunSummary} run */
export function inputsView(facts, run) {
  const { provenance, parameters } = facts;
  const made = {
    "Run": facts.run_hash,
    "Price source": provenance.data_source,
    "Price hash": provenance.data_hash,
    "Code hash": provenance.code_hash,
    "Engine": `version ${provenance.engine_version}`,
    "Sandbox": provenance.sandbox,
    "Took": timings(provenance.timings_ms),
    "Submitted": moment(run.submitted_at),
  };
  return element(
    "div.inputs",
    {},
    element("section", { "aria-label": "Settings" }, element("h3", {}, "Settings"), factList(settingsOf(parameters))),
    element("section", { "aria-label": "Provenance" }, element("h3", {}, "Provenance"), factList(made)),
    element("section.wide", { "aria-label": "Prices" }, element("h3", {}, "Prices"), originTable(provenance.data ?? [], isSynthetic(facts) ? "synthetic" : NOTHING)),
  );
}

/** @param {Record<string, string>} facts */
function factList(facts) {
  return element("dl.facts", {}, ...Object.entries(facts).flatMap(([name, value]) => [element("dt", {}, name), element("dd.mono", {}, value)]));
}

/** @param {TimingsMs} milliseconds */
function timings(milliseconds) {
  const { total, ...parts } = milliseconds;
  return `${duration(total)}: ${Object.entries(parts).map(([name, part]) => `${name} ${duration(part)}`).join(", ")}`;
}

/** @param {SymbolOrigin[]} origins @param {string} unknown stands where it is not known when the prices were fetched */
function originTable(origins, unknown) {
  const heads = ["Symbol", "First day", "Last day", "Bars", "Fetched"];
  const rows = origins.map(({ symbol, first_day: first, last_day: last, rows: bars, fetched_at: fetched }) =>
    element("tr", {}, ...[symbol, first ?? NOTHING, last ?? NOTHING, wholeNumber(bars), fetched ? moment(fetched) : unknown].map((text) => element("td", {}, text))),
  );
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  return element("div.table-scroll.short", { tabindex: 0, role: "region", "aria-label": "Prices by symbol" }, element("table.plain", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}
