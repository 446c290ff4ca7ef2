// Files of a run. A link cannot carry a token, so with one the file is fetched first.

import { askFile } from "../service/api.js";
import { token } from "../state/token.js";
import { element } from "./dom.js";

/**
 * @param {MouseEvent} event the click on the link; without a token the browser follows it
 * @param {string} path of the file below /api/v1 @param {string} name for it
 * @throws {import("../service/problem.js").Problem}
 */
export async function openFile(event, path, name) {
  if (event.currentTarget instanceof Element) event.currentTarget.closest("details")?.removeAttribute("open");
  if (!token()) return;
  event.preventDefault();
  const place = URL.createObjectURL(await askFile(path));
  element("a", { href: place, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(place), 60_000);
}
