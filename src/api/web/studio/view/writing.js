// The left side of the page: the code, what reading it tells, and the terms of its run.

import { validate } from "../service/api.js";
import { Problem, asProblem } from "../service/problem.js";
import { keepDraft, keptDraft } from "../state/draft.js";
import { Latest } from "../state/latest.js";
import { counted } from "../text/format.js";
import { cadenceText } from "../text/settings.js";
import { byId, element, fill } from "./dom.js";
import { Editor } from "./editor.js";
import { Terms } from "./terms.js";

/** @import { Example, RunRequest, ValidationAnswer, ViolationAnswer } from "../types.d.ts" */

const PAUSE_MS = 350;

/** Editor and form as one request. */
export class Writing {
  #editor;
  #terms;
  #reading = byId("reading");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #asking = new Latest();
  /** @type {ViolationAnswer[]} */
  #broken = [];
  /** The symbols of the form for which the code was read. */
  #readFor = "";
  /** What is written, until something else is put in its place. */
  #text = new Latest();
  /** The run that what is written began with, "" for none, and how it read then. */
  #run = "";
  #original = "";
  /** What was written before something else was put in its place; null for nothing. @type {RunRequest | null} */
  #former = null;

  /** @param {{onRun: () => void}} react @param {Example[]} examples */
  constructor({ onRun }, examples) {
    // The keys are quicker than a button that must not be pressed twice.
    this.run = () => {
      if (!this.#terms.runButton.disabled) onRun();
    };
    this.#editor = new Editor(byId("editor"), { onChange: () => this.#changed(), onRun: this.run });
    this.#terms = new Terms(byId("terms"), { onChange: () => this.#termsChanged(), onRun: this.run });
    this.#offer(examples);
    const draft = keptDraft();
    this.#put(draft?.request ?? examples[0].request, draft?.run ?? "");
    if (draft?.isChanged) this.#original = "";
    this.#keep();
  }

  /** @param {Example[]} examples */
  #offer(examples) {
    const select = byId("example");
    const options = examples.map(({ title }, place) => element("option", { value: place }, title));
    fill(select, element("option", { value: "" }, "an example…"), ...options);
    select.addEventListener("change", () => {
      if (select.value === "") return;
      this.show(examples[Number(select.value)].request, "");
      select.value = "";
      this.#editor.focus();
    });
  }

  /**
   * Put a request in place of what is written, which can be brought back.
   *
   * @param {RunRequest} request @param {string} run that it made, "" for none
   */
  show(request, run) {
    const mine = this.isChanged ? this.#asWritten() : null;
    if (mine && run && run === this.#run) {
      // After a reload: what was changed since that run is still there, and may still be changing.
      this.#terms.show(request);
      this.#original = JSON.stringify(this.#asWritten(request.strategy_code));
      this.#terms.show(mine);
    } else {
      this.#former = mine ?? this.#former;
      this.#put(request, run);
    }
    this.#keep();
  }

  /** @param {RunRequest} request @param {string} run */
  #put(request, run) {
    this.#fill(request);
    [this.#run, this.#original] = [run, JSON.stringify(this.#asWritten())];
  }

  /** @param {RunRequest} request */
  #fill(request) {
    this.#text.begin();
    this.#editor.setCode(request.strategy_code);
    this.#terms.show(request);
    this.#broken = [];
    this.#read();
  }

  /** @param {string} [code] @returns {RunRequest} */
  #asWritten(code = this.#editor.code) {
    const { request } = this.#terms.read();
    if (request.parameters instanceof Error) delete request.parameters;
    return { ...request, strategy_code: code };
  }

  /** Whether this is what stands there. @param {RunRequest} request as request() gave it */
  isStill(request) {
    return JSON.stringify(this.#asWritten()) === JSON.stringify(request);
  }

  /** Whether it is not what the example or the run had that it began with. */
  get isChanged() {
    return JSON.stringify(this.#asWritten()) !== this.#original;
  }

  /** What is written is sent. @param {RunRequest} request @returns {(run: string) => void} to be told which run it became */
  sent(request) {
    const { signal } = this.#text;
    return (run) => {
      // Of an example or another run that was put in its place meanwhile, that would not be true.
      if (signal.aborted) return;
      [this.#run, this.#original, this.#former] = [run, JSON.stringify(request), null];
      this.#keep();
    };
  }

  /** Show no run. */
  leaveRun() {
    if (this.isChanged) this.#original = "";
    this.#run = "";
    this.#keep();
  }

  /** The request as it stands; null when the form has faults, which are shown. @returns {RunRequest | null} */
  request() {
    const { request, faults } = this.#terms.read();
    this.#terms.showFaults(faults);
    return faults.length ? null : { ...request, strategy_code: this.#editor.code };
  }

  /** What reading the code found wrong with it, without sending it; null for nothing. */
  knownProblem() {
    if (!this.#broken.length) return null;
    const sentences = this.#broken.map(({ message, line }) => (line ? `${message} (line ${line})` : message));
    return new Problem("The code breaks a rule.", { sentences, violations: this.#broken });
  }

  /** What is written cannot be run again before this is over. @param {AbortSignal} signal aborted then */
  setBusy(signal) {
    this.#terms.runButton.disabled = true;
    const release = () => {
      this.#terms.runButton.disabled = false;
    };
    signal.addEventListener("abort", release, { once: true });
  }

  /** Show where a refusal or a failure has its places. @param {Problem} problem */
  showProblem(problem) {
    this.#terms.showFaults(problem.fields);
    const ofCode = problem.fields.find(({ field }) => field === "strategy_code");
    if (!ofCode && !problem.violations.length) return;
    // It is of more use than what reading the same code says, which may be on its way.
    clearTimeout(this.#timer);
    this.#asking.begin();
    if (ofCode) fill(this.#reading, element("span.is-broken", {}, "The code was rejected"), ` · ${ofCode.message}`);
    else this.#showReading(problem.violations, problem.title);
    if (problem.violations.length) this.#editor.reveal(problem.violations[0].line ?? 1);
  }

  #termsChanged() {
    if (String(this.#terms.universe) === this.#readFor) this.#keep();
    else this.#changed();
  }

  #changed() {
    this.#broken = [];
    this.#keep();
    // What reading the former code tells is not true of this one.
    this.#asking.begin();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), PAUSE_MS);
  }

  #keep() {
    const { isChanged } = this;
    keepDraft({ request: this.#asWritten(), run: this.#run, isChanged });
    this.#terms.showNote(...this.#note(isChanged));
  }

  #bringBack() {
    if (this.#former) this.#fill(this.#former);
    this.#former = null;
    this.#keep();
  }

  /** How what is written and the shown run belong together, and the way back. @param {boolean} isChanged */
  #note(isChanged) {
    if (this.#former) {
      return [element("button.link", { type: "button", onclick: () => this.#bringBack() }, "Restore what I had written")];
    }
    return isChanged && this.#run ? ["Edited since this run."] : [];
  }

  async #read() {
    clearTimeout(this.#timer);
    const signal = this.#asking.begin();
    const { universe } = this.#terms;
    this.#readFor = String(universe);
    if (!this.#editor.code.trim()) {
      this.#editor.underline([]);
      return fill(this.#reading, "Write a class that extends Strategy, or start from an example.");
    }
    try {
      const answer = await validate(this.#editor.code, universe, signal);
      if (signal.aborted) return;
      this.#broken = answer.violations;
      if (answer.violations.length) this.#showReading(answer.violations, counted(answer.violations.length, "problem"));
      else this.#showValid(answer);
    } catch (problem) {
      if (signal.aborted) return;
      const { title, sentences } = asProblem(problem);
      fill(this.#reading, element("span.is-broken", {}, title), ` ${sentences[0] ?? ""}`);
    }
  }

  /** @param {ValidationAnswer} answer */
  #showValid({ universe, cadence }) {
    this.#editor.underline([]);
    const trades = universe ? (universe.length > 6 ? counted(universe.length, "symbol") : universe.join(", ")) : "computes its symbols";
    const called = cadence ? `called ${cadenceText(cadence.bar_size)}, fills ${cadence.execution.replaceAll("_", " ")}` : "computes its cadence";
    fill(this.#reading, element("span.is-valid", {}, "Ready"), ` · ${trades} · ${called}`);
  }

  /** @param {ViolationAnswer[]} violations @param {string} title */
  #showReading(violations, title) {
    this.#editor.underline(violations);
    const items = violations.map(({ line, column, message }) =>
      element("li", {}, element("button.link", { type: "button", onclick: () => line && this.#editor.goTo(line, column) }, element("span", {}, line ? `line ${line}` : ""), element("span", {}, message))),
    );
    fill(this.#reading, element("span.is-broken", {}, title), element("ul", {}, ...items));
  }
}
