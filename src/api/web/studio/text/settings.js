// The settings of a run in words: the same ones, in the same order, as in its report.

import { money } from "./format.js";

/** @import { Cost, ParametersAnswer } from "../types.d.ts" */

/** @type {Record<string, string>} */
const BAR_SIZES = { "1d": "daily", "1w": "weekly", "1m": "monthly", "1q": "quarterly" };

/** How often a strategy is called. @param {string} barSize */
export function cadenceText(barSize) {
  return BAR_SIZES[barSize] ?? barSize;
}

/**
 * @param {ParametersAnswer} parameters
 * @returns {Record<string, string>} by label; settings that this page does not know come last, under their own names
 */
export function settingsOf(parameters) {
  const { name, starting_equity: capital, start_date: first, end_date: last, universe, bar_size: barSize, execution, ...others } = parameters;
  const { commission, slippage, min_trade_value: least, benchmark, risk_free_rate: rate, seed, parameters: own, ...unknown } = others;
  return {
    "Initial capital": money(capital),
    "Window": `${first} to ${last}`,
    "Symbols": universe.join(", "),
    "Cadence": cadenceText(barSize),
    "Fills": execution.replaceAll("_", " "),
    "Commission": costText(commission, "per order"),
    "Slippage": costText(slippage, "of price"),
    "Minimum trade": money(least),
    "Benchmark": benchmark ?? "none",
    "Risk-free rate": rate === null ? "from the price source" : `${plain(rate)} per year`,
    "Seed": plain(seed),
    "Parameters": JSON.stringify(own),
    ...Object.fromEntries(Object.entries(unknown).map(([field, value]) => [labelOf(field), valueText(value)])),
  };
}

/** @param {Cost} cost @param {string} unit */
function costText(cost, unit) {
  if (typeof cost === "number") return cost ? `${plain(cost)} ${unit}` : "none";
  const { model, ...numbers } = cost;
  return `${words(model)}: ${Object.entries(numbers).map(([name, value]) => `${words(name)} ${valueText(value)}`).join(", ")}`;
}

/** @param {string} field */
function labelOf(field) {
  const text = words(field);
  return text[0].toUpperCase() + text.slice(1);
}

/** @param {string} name */
function words(name) {
  return name.replaceAll("_", " ");
}

/** @param {unknown} value */
function valueText(value) {
  if (value === null) return "none";
  if (typeof value === "number") return plain(value);
  return typeof value === "string" ? words(value) : JSON.stringify(value);
}

/** Every digit, never an exponent. @param {number} value */
function plain(value) {
  return value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
}
