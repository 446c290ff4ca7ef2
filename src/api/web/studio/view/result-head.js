// What a result says first: what was run, how it ended, what the prices are, the headline numbers.

import { counted, money, percent, plainNumber, roundMoney, runName, shortHash, tone, wholeNumber, withSign } from "../text/format.js";
import { cadenceText } from "../text/settings.js";
import { element } from "./dom.js";

/** @import { BenchmarkPoint, Facts, ParametersAnswer, RunSummary, Status } from "../types.d.ts" */

/** @type {Record<Status, string>} */
const STATUS_NAMES = { queued: "waiting", running: "running", succeeded: "succeeded", failed: "failed", cancelled: "cancelled", timed_out: "timed out" };

/** A coloured word for where a run stands. @param {Status} status */
export function statusChip(status) {
  return element(`span.chip.${status}`, {}, STATUS_NAMES[status] ?? status);
}

/** @param {RunSummary} run @param {ParametersAnswer | null} parameters of its result, once there is one */
export function runTitle(run, parameters) {
  const cadence = parameters ? ` · ${cadenceText(parameters.bar_size)}, ${parameters.execution.replaceAll("_", " ")}` : "";
  const facts = `${symbolsText(run.symbols)} · ${run.start_date} to ${run.end_date}${cadence}`;
  return [element("h2.run-title", {}, runName(run), " ", statusChip(run.status)), element("p.run-facts.soft.numbers", {}, facts)];
}

/** @param {string[]} symbols */
export function symbolsText(symbols) {
  return symbols.length > 6 ? `${symbols.slice(0, 5).join(", ")} and ${symbols.length - 5} more` : symbols.join(", ");
}

/** What the prices are and what the result was made from, in one line. @param {Facts} facts */
export function provenanceLine({ provenance, run_hash: hash }) {
  const { data_source: source, data_hash: data, engine_version: engine, sandbox, seed } = provenance;
  const parts = [`Prices: ${source}`, `data ${shortHash(data)}`, `engine ${engine}`, sandbox, `seed ${seed}`, `run ${shortHash(hash)}`];
  return element("p.provenance.mono", {}, parts.join(" · "));
}

/** Whether the prices were made up; results of before that was said have only their source's name. @param {Facts} facts */
export function isSynthetic({ provenance }) {
  return provenance.is_synthetic ?? provenance.data_source === "mock";
}

/** Prices that are made up are said to be so before anything else. */
export function syntheticBanner() {
  return element(
    "div.synthetic-banner",
    { role: "note" },
    element("strong", {}, "Synthetic prices. "),
    "This service made them up, so the result says nothing about a real market.",
  );
}

/** How the warning begins that says the same as the banner. */
export const RUIN_WARNING = "The account was ruined";

/** A run that ended because nothing was left says so before its numbers. @param {Facts} facts */
export function ruinBanner({ ruin, parameters }) {
  if (!ruin) return null;
  const rest = `At the close of ${ruin.date} equity was ${money(-ruin.shortfall)}. Every position was closed there, the run ends on that day rather than on ${parameters.end_date}, and its metrics cover the days until then.`;
  return element("div.ruin-banner", { role: "note" }, element("strong", {}, "The account was ruined. "), rest);
}

/** @param {string[]} warnings */
export function warningList(warnings) {
  if (!warnings.length) return null;
  const items = warnings.map((warning) => element("li", {}, warning));
  const title = counted(warnings.length, "warning");
  if (warnings.length <= 3) return element("section.warnings", { "aria-label": "Warnings" }, element("h3", {}, title), element("ul", {}, ...items));
  const rest = element("details", {}, element("summary", {}, `${wholeNumber(warnings.length - 2)} more`), element("ul", {}, ...items.slice(2)));
  return element("section.warnings", { "aria-label": "Warnings" }, element("h3", {}, title), element("ul", {}, ...items.slice(0, 2)), rest);
}

/** The numbers that everybody looks for. @param {{facts: Facts, benchmark: BenchmarkPoint[] | null}} loaded */
export function headlines({ facts, benchmark }) {
  const { metrics, equity_stats: stats, parameters } = facts;
  const ofBenchmark = benchmark?.length ? benchmark[benchmark.length - 1].value / parameters.starting_equity - 1 : null;
  const costs = stats.fees + stats.slippage_cost;
  const fall = metrics.max_drawdown && -metrics.max_drawdown;
  /** @type {[label: string, value: string, note: string, sign?: number | null][]} */
  const tiles = [
    ["Total return", withSign(percent, metrics.total_return), ofBenchmark === null ? "no benchmark" : `${parameters.benchmark} ${withSign(percent, ofBenchmark)}`, metrics.total_return],
    ["Annualized return", withSign(percent, metrics.annualized_return), `volatility ${percent(metrics.annual_volatility)}`, metrics.annualized_return],
    ["Sharpe ratio", plainNumber(metrics.sharpe_ratio), `Sortino ${plainNumber(metrics.sortino)}`],
    ["Max drawdown", percent(fall), `longest ${counted(metrics.max_drawdown_duration, "day")}`, fall],
    ["Final equity", roundMoney(stats.equity), `from ${roundMoney(parameters.starting_equity)}`],
    ["Orders", wholeNumber(metrics.total_orders), `costs ${roundMoney(costs)}`],
  ];
  return element("dl.headlines", {}, ...tiles.map(([label, value, note, sign]) => headline(label, value, note, sign)));
}

/** @param {string} label @param {string} value @param {string} note @param {number | null} [sign] */
function headline(label, value, note, sign) {
  const way = tone(sign);
  return element("div.headline", {}, element("dt", {}, label), element(`dd.headline-value${way && `.${way}`}`, {}, value), element("dd.headline-note", {}, note));
}

/** What came of computing it once more. @param {RunSummary} run */
export function recomputedNote({ recomputed }) {
  if (!recomputed) return null;
  if (recomputed.error) return element("p.note-line", {}, `Computed again; that attempt ended with: ${recomputed.error.errors.join(" ")}`);
  if (!recomputed.differences.length) return element("p.note-line.gain", {}, "Computed again: the same result, to the last digit.");
  return element("p.note-line.loss", {}, `Computed again, ${counted(recomputed.differences.length, "difference")}: ${recomputed.differences.slice(0, 8).join(", ")}`);
}
