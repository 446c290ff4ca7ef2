// What a person is writing outlives a reload of the page, in this tab.

import { keep, kept } from "./kept.js";

/** @import { RunRequest } from "../types.d.ts" */

const PLACE = "hqg-draft";

/**
 * @typedef {object} Draft
 * @property {RunRequest} request as it stands
 * @property {string} run hash of the run that it began with, "" for none
 * @property {boolean} isChanged whether a person changed it since
 */

/** @returns {Draft | null} */
export function keptDraft() {
  try {
    const draft = JSON.parse(kept("sessionStorage", PLACE) ?? "null");
    return typeof draft?.request?.strategy_code === "string" ? { request: draft.request, run: String(draft.run ?? ""), isChanged: Boolean(draft.isChanged) } : null;
  } catch {
    return null;
  }
}

/** What is larger than the browser keeps for us is lost by a reload, and by nothing else. @param {Draft} draft */
export function keepDraft(draft) {
  keep("sessionStorage", PLACE, JSON.stringify(draft));
}
