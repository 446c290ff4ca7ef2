// The token of a person where log-in is on: kept for this tab only, and gone when it closes.

const PLACE = "hqg-token";

/** @returns {string} "" without one: the dashboard's cookie may speak for the person then */
export function token() {
  return sessionStorage.getItem(PLACE) ?? "";
}

/** @param {string} value "" forgets it */
export function keepToken(value) {
  const bare = value.trim().replace(/^bearer\s+/i, "");
  if (bare) sessionStorage.setItem(PLACE, bare);
  else sessionStorage.removeItem(PLACE);
}

/** @returns {Record<string, string>} */
export function tokenHeaders() {
  return token() ? { Authorization: `Bearer ${token()}` } : {};
}
