// The page begins here: what the address says is shown, and what a person does changes the address.

import { getRequest, getRun, listRuns, studioFile, submitRun } from "./service/api.js";
import { Problem } from "./service/problem.js";
import { addressOf, shownBy } from "./state/address.js";
import { byId, element, fill } from "./view/dom.js";
import { CompareView } from "./view/compare.js";
import { problemBox } from "./view/problem-box.js";
import { ResultView } from "./view/result.js";
import { RunList } from "./view/run-list.js";
import { startTheme } from "./view/theme.js";
import { startToken } from "./view/token-form.js";
import { emptyResult } from "./view/welcome.js";
import { Writing } from "./view/writing.js";

/** Everything on the page, and who tells whom. */
class Studio {
  #shown = shownBy(location.search);
  #result;
  #writing;
  #runs;
  #compare;

  constructor(examples, catalogue) {
    this.#writing = new Writing({ onRun: () => this.#submit(false) }, examples);
    this.#result = new ResultView(byId("result"), catalogue, {
      onLook: (change) => this.#looked(change),
      onProblem: (problem) => this.#writing.showProblem(problem),
      onAgain: (isAgain) => this.#submit(isAgain),
      onRemoved: () => this.#go({ page: "studio", run: "" }),
    });
    this.#runs = new RunList({ onOpen: (run) => this.#go({ page: "studio", run }), onCompare: (compared) => this.#go({ page: "compare", compared }) });
    this.#compare = new CompareView(catalogue, (run) => this.#go({ page: "studio", run }));
    fill(byId("runs"), this.#compare.view, this.#runs.view);
    window.addEventListener("popstate", () => this.#show(shownBy(location.search)));
    for (const link of document.querySelectorAll("[data-page]")) link.addEventListener("click", (event) => this.#follow(event, link));
  }

  /** Show what the address says. */
  open() {
    return this.#show(this.#shown);
  }

  #follow(event, link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    // Back in the studio is the run that was left there.
    this.#go({ page: link.dataset.page, run: link.dataset.page === "studio" ? (this.#result.run?.run_hash ?? "") : "" });
  }

  #go(shown) {
    const next = { ...shownBy(""), ...shown };
    history.pushState(null, "", addressOf(next));
    return this.#show(next);
  }

  #looked(change) {
    if (this.#shown.page !== "studio" || !this.#shown.run) return;
    Object.assign(this.#shown, change);
    // Panning writes often, and a browser takes only so many of these.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => history.replaceState(null, "", addressOf(this.#shown)), 250);
  }

  #timer = 0;

  async #show(shown) {
    clearTimeout(this.#timer);
    this.#shown = shown;
    byId("studio").hidden = shown.page !== "studio";
    byId("runs").hidden = shown.page === "studio";
    this.#compare.view.hidden = shown.page !== "compare";
    for (const link of document.querySelectorAll("[data-page]")) {
      const isHere = link.dataset.page === (shown.page === "studio" ? "studio" : "runs");
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (shown.page === "studio") return shown.run ? this.#openRun(shown) : this.#showEmpty();
    this.#runs.refresh();
    if (shown.page === "compare") await this.#compare.show(shown.compared);
  }

  async #showEmpty() {
    this.#result.showEmpty(emptyResult([], (run) => this.#go({ page: "studio", run })));
    const { runs } = await listRuns({ limit: "5" }).catch(() => ({ runs: [] }));
    if (this.#shown.page === "studio" && !this.#shown.run) this.#result.showEmpty(emptyResult(runs, (run) => this.#go({ page: "studio", run })));
  }

  async #openRun(shown) {
    if (this.#result.run?.run_hash === shown.run) return;
    try {
      const [run, request] = await Promise.all([getRun(shown.run), getRequest(shown.run)]);
      this.#writing.show(request);
      if (isOneColumn()) byId("result").scrollIntoView();
      await this.#result.show(run, shown);
    } catch (problem) {
      this.#result.showProblem(problem);
    }
  }

  async #submit(isAgain) {
    const request = this.#writing.request();
    if (!request) return;
    const known = this.#writing.knownProblem();
    if (known) return this.#refused(known);
    this.#writing.setBusy(true);
    this.#result.showSubmitting();
    if (isOneColumn()) byId("result").scrollIntoView();
    try {
      const { run, isNew } = await submitRun(request, isAgain);
      this.#shown = { ...shownBy(""), run: run.run_hash };
      history.pushState(null, "", addressOf(this.#shown));
      this.#writing.setBusy(false);
      await this.#result.show(run, { ...this.#shown, note: isNew || isAgain ? null : knownNote(run) });
    } catch (problem) {
      this.#refused(problem instanceof Problem ? problem : new Problem("The page made a mistake.", { sentences: [String(problem)] }));
    } finally {
      this.#writing.setBusy(false);
    }
  }

  #refused(problem) {
    this.#result.showProblem(problem);
    this.#writing.showProblem(problem);
    if (problem.status === 401) byId("token-button").click();
  }
}

/** Whether the result stands below the editor, where nobody sees it appear. */
function isOneColumn() {
  return window.matchMedia("(max-width: 1000px)").matches;
}

function knownNote(run) {
  if (run.status !== "succeeded" && run.status !== "failed") return null;
  return element("p.note-line", {}, "This run was made before, with the same code, terms and prices: here is its result.");
}

async function start() {
  startTheme(byId("theme-button"));
  startToken();
  try {
    const [examples, catalogue] = await Promise.all([studioFile("examples.json"), studioFile("catalogue.json")]);
    await new Studio(examples, catalogue).open();
  } catch (problem) {
    byId("studio").hidden = false;
    fill(byId("result"), problemBox(problem instanceof Problem ? problem : new Problem("The page could not start.", { sentences: [String(problem)] })));
    throw problem;
  }
}

start();
