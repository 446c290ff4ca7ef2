// What went wrong, in the page.

import { element } from "./dom.js";

/**
 * @param {import("../service/problem.js").Problem} problem
 * @param {...Node} actions
 */
export function problemBox(problem, ...actions) {
  const sentences = problem.sentences.map((sentence) => element("li", {}, sentence));
  const wait = problem.retrySeconds ? element("p", {}, `Try again in ${problem.retrySeconds} s.`) : null;
  return element(
    `div.problem${problem.isCalm ? ".is-calm" : ""}`,
    { role: "alert" },
    element("h3", {}, problem.title),
    element("ul", {}, ...sentences),
    problem.traceback && element("pre", { tabindex: 0, "aria-label": "Traceback" }, problem.traceback),
    wait,
    actions.length > 0 && element("div.actions", {}, ...actions),
  );
}
