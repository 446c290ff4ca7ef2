// What a person is writing outlives a reload of the page, in this tab.

const PLACE = "hqg-draft";

/** @returns {Record<string, unknown> | null} */
export function keptDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
  } catch {
    return null;
  }
}

/** @param {Record<string, unknown>} draft */
export function keepDraft(draft) {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(draft));
  } catch {
    // A strategy larger than the browser keeps for us is lost by a reload, and by nothing else.
  }
}
