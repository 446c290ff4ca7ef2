// The code editor: CodeMirror in a shadow root, because only there does it bring its styles without breaking the
// page's policy.

import * as cm from "../vendor/codemirror.js";
import { editorTheme, highlighting } from "./editor-theme.js";
import { strategyHelp } from "./strategy-help.js";
import { typingOver } from "./typing-over.js";

/** @import { ViolationAnswer } from "../types.d.ts" */

/** A Python editor that completes and explains the strategy API, and underlines what is wrong. */
export class Editor {
  #view;
  #silent = false;

  /**
   * @param {HTMLElement} host
   * @param {object} react
   * @param {(code: string) => void} react.onChange a person changed the code
   * @param {() => void} react.onRun Ctrl-Enter or Cmd-Enter
   */
  constructor(host, { onChange, onRun }) {
    const root = host.attachShadow({ mode: "open" });
    this.#view = new cm.EditorView({ root, parent: root, state: this.#state("", onChange, onRun) });
  }

  /** @param {string} doc @param {(code: string) => void} onChange @param {() => void} onRun */
  #state(doc, onChange, onRun) {
    const listener = cm.EditorView.updateListener.of((update) => {
      if (update.docChanged && !this.#silent) onChange(this.code);
    });
    const run = () => {
      onRun();
      return true;
    };
    const keys = [{ key: "Mod-Enter", run }, ...cm.closeBracketsKeymap, ...cm.defaultKeymap, ...cm.searchKeymap, ...cm.historyKeymap];
    // Tab leaves the editor, as everywhere on the page; Ctrl-] and Ctrl-[ indent.
    return cm.EditorState.create({
      doc,
      extensions: [
        cm.lineNumbers(),
        cm.lintGutter(),
        cm.history(),
        cm.drawSelection(),
        cm.indentOnInput(),
        cm.indentUnit.of("    "),
        cm.bracketMatching(),
        cm.closeBrackets(),
        cm.highlightActiveLine(),
        cm.highlightActiveLineGutter(),
        // What turns the direction of writing around, or is not seen at all, shows up as a dot.
        cm.highlightSpecialChars(),
        cm.highlightSelectionMatches(),
        cm.search({ top: true }),
        cm.python(),
        highlighting,
        editorTheme,
        typingOver,
        strategyHelp,
        cm.Prec.highest(cm.keymap.of(keys.slice(0, 1))),
        cm.keymap.of([...keys.slice(1), ...cm.lintKeymap]),
        cm.EditorView.contentAttributes.of({
          "aria-label": "Strategy code in Python",
          tabindex: "0",
          spellcheck: "false",
          autocapitalize: "off",
        }),
        listener,
      ],
    });
  }

  get code() {
    return this.#view.state.doc.toString();
  }

  /** Put other code in; undo brings the former back. @param {string} text */
  setCode(text) {
    if (text === this.code) return;
    this.#silent = true;
    const { length } = this.#view.state.doc;
    this.#view.dispatch({ changes: { from: 0, to: length, insert: text }, selection: { anchor: 0 } });
    this.#silent = false;
    this.#view.scrollDOM.scrollTop = 0;
  }

  /** Underline passages. @param {ViolationAnswer[]} violations those without a line are left out */
  underline(violations) {
    const placed = violations.filter(({ line }) => line);
    const diagnostics = placed.map((violation) => ({
      ...this.#passage(violation),
      severity: /** @type {const} */ ("error"),
      message: violation.message,
    }));
    this.#view.dispatch(cm.setDiagnostics(this.#view.state, diagnostics));
  }

  /** From and to as places in the text; never empty, so that there is something to see. @param {ViolationAnswer} violation */
  #passage({ line, column, end_line: endLine, end_column: endColumn }) {
    const { doc } = this.#view.state;
    const first = doc.line(Math.min(line ?? 1, doc.lines));
    const indent = first.text.length - first.text.trimStart().length;
    const from = Math.min(first.from + (column ? column - 1 : indent), first.to);
    const last = endLine && endLine <= doc.lines ? doc.line(endLine) : first;
    // A statement of many lines is marked at its first: the message stands there.
    const end = last.number === first.number && endColumn ? last.from + endColumn - 1 : first.to;
    const to = Math.min(Math.max(end, from + 1), first.to);
    return to > from ? { from, to } : { from: Math.max(first.from, to - 1), to };
  }

  /** Move to a line and show it. @param {number} line @param {number | null} column */
  goTo(line, column = null) {
    const { doc } = this.#view.state;
    const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const anchor = Math.min(from + (column ? column - 1 : 0), to);
    const effects = cm.EditorView.scrollIntoView(anchor, { y: "center" });
    this.#view.dispatch({ selection: { anchor }, effects });
    this.#view.focus();
  }

  /** Show a line without taking the keyboard there. @param {number} line */
  reveal(line) {
    const { doc } = this.#view.state;
    const { from } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    // The editor's own way scrolls the page too, away from what a person on a phone is reading.
    const { scrollDOM } = this.#view;
    this.#view.requestMeasure({
      read: (view) => view.lineBlockAt(from).top - scrollDOM.clientHeight / 2,
      write: (top) => {
        scrollDOM.scrollTop = top;
      },
    });
  }

  focus() {
    this.#view.focus();
  }
}
