// The token of a person where log-in is on: kept for this tab only, and gone when it closes.

import { keep, kept } from "./kept.js";

const PLACE = "hqg-token";

/** For as long as the page is open, where the browser keeps nothing. */
let ofThisPage = "";

/** @returns {string} "" without one: the dashboard's cookie may speak for the person then */
export function token() {
  return kept("sessionStorage", PLACE) ?? ofThisPage;
}

/** @param {string} value "" forgets it @returns {boolean} whether it outlives a reload of the page */
export function keepToken(value) {
  const bare = value.trim().replace(/^bearer\s+/i, "");
  ofThisPage = bare;
  return keep("sessionStorage", PLACE, bare || null);
}

/** @returns {Record<string, string>} */
export function tokenHeaders() {
  return token() ? { Authorization: `Bearer ${token()}` } : {};
}
