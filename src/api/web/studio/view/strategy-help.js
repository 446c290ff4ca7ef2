// What the editor knows of the strategy API: it completes names, and explains the one below the pointer.

import * as cm from "../vendor/codemirror.js";
import { studioFile } from "../service/api.js";
import { element } from "./dom.js";

/** @import { CompletionContext } from "@codemirror/autocomplete" */
/** @import { EditorState, EditorView } from "../vendor/codemirror.js" */
/** @import { StrategyName } from "../types.d.ts" */

/** @type {Promise<Map<string, StrategyName>> | null} */
let asked = null;

/** Every name by itself; empty while the service cannot be reached, which the next use asks again. */
function names() {
  asked ??= studioFile("strategy.json").then(
    (/** @type {StrategyName[]} */ entries) => new Map(entries.map((entry) => [entry.name, entry])),
    () => {
      asked = null;
      return new Map();
    },
  );
  return asked;
}

/**
 * What the catalogue calls the owner of a member: `self` is the strategy, on_data's arguments and talib may have other names.
 *
 * @param {string} written before the dot @param {string} code
 */
function ownerOf(written, code) {
  const [, self, data, portfolio] = /def\s+on_data\s*\(\s*(\w+)\s*,\s*(\w+)[^,)]*,\s*(\w+)/.exec(code) ?? ["", "self", "data", "portfolio"];
  const [, talib] = /^\s*import\s+talib\s+as\s+(\w+)/m.exec(code) ?? ["", "talib"];
  const known = new Map([[self, "Strategy"], [data, "data"], [portfolio, "portfolio"], [talib, "talib"]]);
  return known.get(written) ?? written;
}

/** @param {EditorState} state @param {number} place */
function isText(state, place) {
  return /String|Comment/.test(cm.syntaxTree(state).resolveInner(place, -1).name);
}

/** Signature, meaning and details, as text. @param {StrategyName} entry */
function explained({ name, signature, type, summary, details }) {
  const whole = name.replace(/^Strategy\./, "self.");
  const written = signature === null ? `${whole}: ${type}` : `${whole}${signature} → ${type}`;
  return element("div.strategy-help", {}, element("code", {}, written), element("p", {}, summary), details ? element("pre", {}, details) : null);
}

/** @param {StrategyName} entry @param {string} label */
function option(entry, label) {
  const type = entry.signature === null ? "property" : /^[A-Z][a-z]/.test(label) ? "class" : "method";
  return { label, type, detail: entry.signature ?? entry.type, info: () => explained(entry) };
}

/** @param {CompletionContext} context */
async function completed(context) {
  const found = context.matchBefore(/(?:\b[A-Za-z_]\w*\.)?\w*/);
  if (!found || (found.from === found.to && !context.explicit) || isText(context.state, context.pos)) return null;
  const [owner, begun] = found.text.includes(".") ? found.text.split(".") : ["", found.text];
  // A member of another object has none of these names.
  if (!owner && context.state.sliceDoc(found.from - 1, found.from) === ".") return null;
  const known = [...(await names()).values()];
  const of = owner ? `${ownerOf(owner, context.state.doc.toString())}.` : "";
  const members = known.filter(({ name }) => (of ? name.startsWith(of) : !name.includes(".")));
  const options = members.map((entry) => option(entry, entry.name.slice(of.length)));
  if (context.aborted || !options.length) return null;
  return { from: context.pos - begun.length, options, validFor: /^\w*$/ };
}

/** @param {EditorView} view @param {number} place */
async function explainedAt(view, place) {
  const word = view.state.wordAt(place);
  if (!word || isText(view.state, word.from + 1)) return null;
  const line = view.state.doc.lineAt(word.from);
  const before = line.text.slice(0, word.from - line.from);
  const [, written] = /(\w+)\.$/.exec(before) ?? [];
  // What the body of a class declares is the strategy's: universe, cadence, on_data.
  const owner = written ? ownerOf(written, view.state.doc.toString()) : /^(?: {4}|\t)(?:def\s+)?$/.test(before) ? "Strategy" : "";
  const name = view.state.sliceDoc(word.from, word.to);
  const entry = (await names()).get(owner ? `${owner}.${name}` : name);
  if (!entry) return null;
  return { pos: word.from, end: word.to, above: true, create: () => ({ dom: explained(entry) }) };
}

/** The editor's extensions. */
export const strategyHelp = [
  cm.autocompletion(),
  cm.EditorState.languageData.of(() => [{ autocomplete: completed }]),
  cm.hoverTooltip(explainedAt),
];
