// The page's address says what is shown: everyone who opens it sees the same.

/** @import { Range } from "../types.d.ts" */

/**
 * @typedef {object} Shown
 * @property {"studio" | "runs" | "compare"} page
 * @property {string} run hash of the shown run, "" for none
 * @property {string[]} compared hashes, the one that others are measured against first
 * @property {string} tab of the result
 * @property {number | null} order place of the selected order
 * @property {Range | null} range days in sight
 */

const HASH = /^[0-9a-f]{64}$/;
const TABS = ["metrics", "months", "drawdowns", "trades", "orders", "log", "inputs"];

/** @param {string} search the address from the question mark on @returns {Shown} */
export function shownBy(search) {
  const query = new URLSearchParams(search);
  const named = new Set((query.get("compare") ?? "").split(",").filter((hash) => HASH.test(hash)));
  const compared = named.size > 1 ? [...named] : [];
  const run = query.get("run") ?? "";
  const order = Number.parseInt(query.get("order") ?? "", 10);
  return {
    page: compared.length ? "compare" : query.has("runs") ? "runs" : "studio",
    run: HASH.test(run) ? run : "",
    compared,
    tab: TABS.find((tab) => tab === query.get("tab")) ?? TABS[0],
    order: order > 0 ? order - 1 : null,
    range: rangeOf(query.get("range")),
  };
}

/** @param {string | null} text */
function rangeOf(text) {
  const days = (text ?? "").split("..").map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  return days.length === 2 && days[0] < days[1] ? /** @type {Range} */ (days) : null;
}

/** The address that shows this. @param {Partial<Shown>} shown @returns {string} relative to the page */
export function addressOf(shown) {
  if (shown.page === "compare") return `?compare=${shown.compared?.join(",")}`;
  if (shown.page === "runs") return "?runs";
  if (!shown.run) return "./";
  const parts = [`run=${shown.run}`];
  if (shown.tab && shown.tab !== TABS[0]) parts.push(`tab=${shown.tab}`);
  if (shown.order !== null && shown.order !== undefined) parts.push(`order=${shown.order + 1}`);
  if (shown.range) parts.push(`range=${shown.range.map(dayText).join("..")}`);
  return `?${parts.join("&")}`;
}

/** @param {number} unixSeconds */
function dayText(unixSeconds) {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 10);
}
