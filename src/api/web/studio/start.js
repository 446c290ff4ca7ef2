// The page begins here: what the address says is shown, and what a person does changes the address.

import { getRequest, getRun, listRuns, studioFile, submitRun } from "./service/api.js";
import { asProblem } from "./service/problem.js";
import { addressOf, shownBy } from "./state/address.js";
import { announce, byId, element, fill, followedHere } from "./view/dom.js";
import { CompareView } from "./view/compare.js";
import { startDivider } from "./view/divider.js";
import { startMenus } from "./view/menus.js";
import { problemBox } from "./view/problem-box.js";
import { ResultView } from "./view/result.js";
import { RunList } from "./view/run-list.js";
import { startTheme } from "./view/theme.js";
import { startToken } from "./view/token-form.js";
import { emptyResult } from "./view/welcome.js";
import { Writing } from "./view/writing.js";

/** @import { Problem } from "./service/problem.js" */
/** @import { Example, Metric, Range, RunRequest, RunSummary } from "./types.d.ts" */
/** @import { Shown } from "./state/address.js" */

/** Everything on the page, and its wiring. */
class Studio {
  #shown = shownBy(location.search);
  /** What the studio shows, even while another page is open. */
  #inStudio = shownBy("");
  #result;
  #writing;
  #runs;
  #compare;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Example[]} examples @param {Metric[]} catalogue */
  constructor(examples, catalogue) {
    this.#writing = new Writing({ onRun: () => this.#submit() }, examples);
    this.#result = new ResultView(byId("result"), catalogue, {
      onLook: (change) => this.#looked(change),
      // Its positions are in the code that ran.
      onProblem: (problem) => this.#writing.isChanged || this.#writing.showProblem(problem),
      onRemoved: () => {
        this.#settle(shownBy(""), "replaceState");
        this.#showEmpty();
      },
    });
    this.#runs = new RunList({ onOpen: (run) => this.#go({ page: "studio", run }), onCompare: (compared) => this.#go({ page: "compare", compared }) });
    this.#compare = new CompareView(catalogue, (run) => this.#go({ page: "studio", run }));
    fill(byId("runs"), this.#compare.view, this.#runs.view);
    byId("studio").addEventListener("keydown", (event) => this.#keyed(event));
    window.addEventListener("popstate", () => this.#addressChanged(shownBy(location.search)));
    for (const link of pageLinks()) link.addEventListener("click", followedHere(() => this.#follow(link.dataset.page === "runs" ? "runs" : "studio")));
  }

  /** Show everything that the address names. */
  open() {
    this.#result.about = null;
    this.#show(this.#shown);
  }

  /** Ctrl-Enter or Cmd-Enter runs from every field; the editor knows the keys itself. @param {KeyboardEvent} event */
  #keyed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
    event.preventDefault();
    this.#writing.run();
  }

  /** By "back" and "forward"; what skips to a part of the page changes nothing that is shown. @param {Shown} shown */
  #addressChanged(shown) {
    if (addressOf(shown) !== addressOf(this.#shown)) this.#show(shown);
  }

  /** @param {"studio" | "runs"} page */
  #follow(page) {
    // The studio is as it was left.
    this.#go(page === "studio" ? this.#inStudio : { page });
  }

  /** @param {Partial<Shown>} shown */
  #go(shown) {
    const next = { ...shownBy(""), ...shown };
    this.#writeAddress();
    if (addressOf(next) !== addressOf(this.#shown)) history.pushState(null, "", addressOf(next));
    this.#show(next);
  }

  /** @param {{tab?: string, order?: number | null, range?: Range | null}} change */
  #looked(change) {
    if (this.#shown !== this.#inStudio || !this.#shown.run) return;
    Object.assign(this.#shown, change);
    clearTimeout(this.#timer);
    // Panning changes the range with every frame, and a browser takes only so many of these.
    if (change.range === undefined) this.#writeAddress();
    else this.#timer = setTimeout(() => this.#writeAddress(), 250);
  }

  #writeAddress() {
    clearTimeout(this.#timer);
    history.replaceState(null, "", addressOf(this.#shown));
  }

  /** @param {Shown} shown */
  #show(shown) {
    clearTimeout(this.#timer);
    this.#shown = shown;
    byId("studio").hidden = shown.page !== "studio";
    byId("runs").hidden = shown.page === "studio";
    this.#compare.view.hidden = shown.page !== "compare";
    const [part, name] = shown.page === "studio" ? ["#result", "Skip to the result"] : ["#runs", "Skip to the runs"];
    fill(byId("skip"), name).setAttribute("href", part);
    for (const link of pageLinks()) {
      const isHere = link.dataset.page === (shown.page === "studio" ? "studio" : "runs");
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (shown.page === "studio") return this.#showInStudio(shown);
    this.#runs.refresh();
    if (shown.page === "compare") this.#compare.show(shown.compared);
  }

  /** @param {Shown} shown */
  #showInStudio(shown) {
    this.#inStudio = shown;
    if (shown.run !== this.#result.about) return shown.run ? this.#openRun(shown) : this.#showEmpty();
    if (shown.run) this.#result.look(shown);
  }

  /** The studio itself shows something else, even while another page is open. @param {Shown} shown @param {"pushState" | "replaceState"} how */
  #settle(shown, how) {
    this.#inStudio = shown;
    if (this.#shown.page !== "studio") return void this.#runs.refresh();
    clearTimeout(this.#timer);
    this.#shown = shown;
    history[how](null, "", addressOf(shown));
  }

  async #showEmpty() {
    this.#writing.leaveRun();
    /** @param {RunSummary[]} runs */
    const welcome = (runs) => emptyResult(runs, (run) => this.#go({ page: "studio", run }));
    const signal = this.#result.showEmpty(welcome([]));
    const latest = await listRuns({ limit: "5" }).catch(() => null);
    if (latest && !signal.aborted) this.#result.showEmpty(welcome(latest.runs));
  }

  /** @param {Shown} shown */
  async #openRun(shown) {
    const signal = this.#result.showWaiting("Opening the run…", shown.run);
    try {
      const [run, request] = await Promise.all([getRun(shown.run), getRequest(shown.run)]);
      if (signal.aborted) return;
      this.#writing.show(request, shown.run);
      if (isOneColumn()) byId("result").scrollIntoView();
      await this.#result.show(run, shown);
    } catch (problem) {
      if (!signal.aborted) this.#result.showProblem(problem, shown.run, () => this.#openRun(shown));
    }
  }

  async #submit() {
    const request = this.#writing.request();
    if (!request) return;
    // A run that was shown is left here, and "back" leads to it.
    const isLeft = this.#shown.run !== "";
    if (isLeft) this.#settle(shownBy(""), "pushState");
    this.#writing.leaveRun();
    const known = this.#writing.knownProblem();
    if (known) return this.#refused(known, request);
    const signal = this.#result.showWaiting("Reading the code and fetching prices…");
    this.#writing.setBusy(signal);
    const becameRun = this.#writing.sent(request);
    if (isOneColumn()) byId("result").scrollIntoView();
    try {
      const { run, isNew } = await submitRun(request);
      becameRun(run.run_hash);
      // A person who opened something else meanwhile stays there; the run is among the past ones.
      if (signal.aborted) return;
      this.#settle({ ...shownBy(""), run: run.run_hash }, isLeft ? "replaceState" : "pushState");
      await this.#result.show(run, this.#inStudio, isNew ? null : knownNote(run));
    } catch (problem) {
      if (signal.aborted) announce(`The run was not accepted: ${asProblem(problem).title}`);
      else this.#refused(asProblem(problem), request);
    }
  }

  /** @param {Problem} problem @param {RunRequest} request */
  #refused(problem, request) {
    this.#result.showProblem(problem);
    const isInSight = this.#shown.page === "studio";
    if (!isInSight) announce(`The run was not accepted: ${problem.title}`);
    // Places in the code and in the form are those of what was sent; a person who goes on writing is not interrupted.
    if (!this.#writing.isStill(request)) return;
    this.#writing.showProblem(problem);
    if (problem.status === 401 && isInSight) byId("token-field").focus();
  }
}

/** The links to the pages of the studio. */
function pageLinks() {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-page]"));
}

/** Whether the result stands below the editor, out of sight. */
function isOneColumn() {
  return window.matchMedia("(max-width: 1000px)").matches;
}

/** @param {RunSummary} run */
function knownNote(run) {
  if (run.status !== "succeeded" && run.status !== "failed") return null;
  return element("p.note-line", {}, "This run already exists, with the same code, settings and prices. Here is its result.");
}

async function start() {
  /** @type {Studio | null} */
  let studio = null;
  startTheme(byId("theme-button"));
  startToken(() => studio?.open());
  startDivider(byId("divider"), byId("studio"));
  startMenus();
  try {
    const [examples, catalogue] = await Promise.all([studioFile("examples.json"), studioFile("catalogue.json")]);
    studio = new Studio(examples, catalogue);
  } catch (problem) {
    byId("studio").hidden = false;
    fill(byId("result"), problemBox(problem, () => location.reload()));
    return;
  }
  studio.open();
}

start();
