// The page begins here: what the address says is shown, and what a person does changes the address.

import { getRequest, getRun, listRuns, studioFile, submitRun } from "./service/api.js";
import { Problem } from "./service/problem.js";
import { addressOf, shownBy } from "./state/address.js";
import { announce, byId, element, fill } from "./view/dom.js";
import { CompareView } from "./view/compare.js";
import { startDivider } from "./view/divider.js";
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
    this.#writing = new Writing({ onRun: () => this.#submit() }, examples);
    this.#result = new ResultView(byId("result"), catalogue, {
      onLook: (change) => this.#looked(change),
      // Its places are places in the code that ran.
      onProblem: (problem) => this.#writing.isChanged || this.#writing.showProblem(problem),
      onAgain: (run) => this.#again(run),
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
    this.#writing.leaveRun();
    const welcome = (runs) => emptyResult(runs, (run) => this.#go({ page: "studio", run }));
    const shown = this.#result.showEmpty(welcome([]));
    const { runs } = await listRuns({ limit: "5" }).catch(() => ({ runs: [] }));
    // What came meanwhile, a refusal for one, stays.
    if (shown.isConnected) this.#result.showEmpty(welcome(runs));
  }

  async #openRun(shown) {
    if (this.#result.run?.run_hash === shown.run) return;
    const waiting = this.#result.showWaiting("Opening the run …");
    try {
      const [run, request] = await Promise.all([getRun(shown.run), getRequest(shown.run)]);
      // Whoever went elsewhere meanwhile, or ran something, stays there.
      if (this.#shown !== shown || !waiting.isConnected) return;
      this.#writing.show(request, shown.run);
      if (isOneColumn()) byId("result").scrollIntoView();
      await this.#result.show(run, shown);
    } catch (problem) {
      if (this.#shown === shown && waiting.isConnected) this.#result.showProblem(asProblem(problem), () => this.#openRun(shown));
    }
  }

  async #submit() {
    const request = this.#writing.request();
    if (!request) return;
    const known = this.#writing.knownProblem();
    if (known) return this.#refused(known);
    await this.#submitted(request, false);
  }

  /** Compute a run once more: what made it, whatever stands in the editor by now. */
  async #again({ run_hash: hash }) {
    try {
      const request = await getRequest(hash);
      if (request.universe) throw new Problem("This run was made through the older contract.", { sentences: ["Its tickers are not part of its code: POST /backtest computes it again."] });
      await this.#submitted(request, true);
    } catch (problem) {
      this.#refused(asProblem(problem));
    }
  }

  async #submitted(request, isAgain) {
    const before = this.#shown;
    const isElsewhere = () => this.#shown !== before && (this.#shown.page !== "studio" || this.#shown.run !== "");
    this.#writing.setBusy(true);
    this.#result.showWaiting("Reading the code and fetching prices …");
    if (isOneColumn()) byId("result").scrollIntoView();
    try {
      const { run, isNew } = await submitRun(request, isAgain);
      if (!isAgain) this.#writing.ranAs(run.run_hash, request);
      if (isElsewhere()) return this.#runs.refresh();
      this.#shown = { ...shownBy(""), run: run.run_hash };
      history.pushState(null, "", addressOf(this.#shown));
      this.#writing.setBusy(false);
      await this.#result.show(run, { ...this.#shown, note: isNew || isAgain ? null : knownNote(run) });
    } catch (problem) {
      if (isElsewhere()) announce(`The run was not taken: ${asProblem(problem).title}`);
      else this.#refused(asProblem(problem));
    } finally {
      this.#writing.setBusy(false);
    }
  }

  #refused(problem) {
    this.#result.showProblem(problem);
    this.#writing.showProblem(problem);
    if (problem.status === 401) byId("token-field").focus();
  }
}

function asProblem(error) {
  return error instanceof Problem ? error : new Problem("The page made a mistake.", { sentences: [String(error)] });
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
  let studio = null;
  startTheme(byId("theme-button"));
  startToken(() => studio?.open());
  startDivider(byId("divider"), byId("studio"));
  try {
    const [examples, catalogue] = await Promise.all([studioFile("examples.json"), studioFile("catalogue.json")]);
    studio = new Studio(examples, catalogue);
  } catch (problem) {
    byId("studio").hidden = false;
    const again = element("button", { type: "button", onclick: () => location.reload() }, "Try again");
    fill(byId("result"), problemBox(asProblem(problem), again));
    return;
  }
  await studio.open();
}

start();
