// Files of a run. A link cannot carry a token, so with one the file is fetched first.

import { token, tokenHeaders } from "../state/token.js";
import { announce, element } from "./dom.js";

/**
 * @param {Event} event the click on the link; without a token the browser follows it
 * @param {string} address @param {string} name of the file
 */
export async function openFile(event, address, name) {
  event.currentTarget.closest("details")?.removeAttribute("open");
  if (!token()) return;
  event.preventDefault();
  const answer = await fetch(address, { headers: tokenHeaders(), credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return announce(`${name} could not be fetched.`);
  const place = URL.createObjectURL(await answer.blob());
  element("a", { href: place, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(place), 60_000);
}
