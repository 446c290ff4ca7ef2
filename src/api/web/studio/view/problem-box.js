// What went wrong, in the page.

import { asProblem } from "../service/problem.js";
import { element } from "./dom.js";

/** A refusal that says what to change needs no second try; all else may go well next time. */
const HOPELESS = new Set([403, 404]);

/** @param {unknown} error what was thrown @param {() => void} [onRetry] what may help */
export function problemBox(error, onRetry) {
  const problem = asProblem(error);
  const sentences = problem.sentences.map((sentence) => element("li", {}, sentence));
  const wait = problem.retrySeconds ? element("p", {}, `Try again in ${problem.retrySeconds} s.`) : null;
  return element(
    `div.problem${problem.isCalm ? ".is-calm" : ""}`,
    { role: "alert" },
    element("h3", {}, problem.title),
    element("ul", {}, ...sentences),
    problem.traceback && element("pre", { tabindex: 0, "aria-label": "Traceback" }, problem.traceback),
    wait,
    onRetry && !HOPELESS.has(problem.status) && element("div.actions", {}, element("button", { type: "button", onclick: onRetry }, "Try again")),
  );
}
