// The settings of a run: dates, capital, costs, benchmark, parameters. A form that is a request and back.

import { CostField } from "./cost-field.js";
import { element, fill } from "./dom.js";

/** @import { CostModel } from "./cost-field.js" */
/** @import { Cost, Fault, Properties } from "../types.d.ts" */

/** @type {Record<string, CostModel>} */
const COMMISSIONS = {
  per_order: { label: "per order", numbers: [["amount", "fee per order", 0]] },
  per_share: { label: "per share", numbers: [["amount", "fee per share", 0.005], ["minimum", "minimum per order", 0]] },
  rate: { label: "of trade value", numbers: [["rate", "fraction", 0.001]] },
};
/** @type {Record<string, CostModel>} */
const SLIPPAGES = {
  fraction: { label: "of price", numbers: [["fraction", "fraction", 0.0005]] },
  half_spread: { label: "half spread", numbers: [["bps", "basis points", 2]] },
  volume_participation: {
    label: "volume impact",
    choices: ["shape", { square_root: "square root", linear: "linear" }],
    numbers: [["coefficient", "coefficient", 0.1], ["max_share", "maximum share of volume", 0.1]],
  },
};

/** @type {Record<string, {label: string, kind: string, size?: string, attributes?: Properties, choices?: Record<string, string>}>} */
const SIMPLE = {
  name: { label: "Name", kind: "text", size: "most", attributes: { maxlength: 200, placeholder: "optional" } },
  start_date: { label: "From", kind: "date" },
  end_date: { label: "To", kind: "date" },
  initial_capital: { label: "Capital", kind: "number", attributes: { min: 0, step: "any" } },
  benchmark: { label: "Benchmark", kind: "text", attributes: { placeholder: "none", spellcheck: "false", maxlength: 24 } },
  universe: { label: "Symbols", kind: "text", size: "wide", attributes: { placeholder: "the strategy's own, unless you list others here", spellcheck: "false", autocapitalize: "characters" } },
  seed: { label: "Seed", kind: "number", attributes: { min: 0, step: 1 } },
  risk_free_rate: { label: "Risk-free rate per year", kind: "number", attributes: { step: "any", placeholder: "from the price source" } },
  price_adjustment: { label: "Prices adjusted for", kind: "choice", choices: { dividends_and_splits: "dividends and splits", splits: "splits; dividends are cash" } },
  delisting_return: { label: "Delisting return", kind: "number", attributes: { min: -1, max: 1, step: "any" } },
  allow_short: { label: "Short positions", kind: "choice", choices: { false: "not allowed", true: "allowed" } },
  max_gross: { label: "Gross exposure at most", kind: "number", attributes: { min: 1, max: 10, step: "any" } },
  borrow_rate: { label: "Borrow rate per year", kind: "number", attributes: { min: 0, max: 10, step: "any" } },
  margin_rate: { label: "Margin rate per year", kind: "number", attributes: { min: 0, max: 10, step: "any" } },
  warmup_bars: { label: "Warm-up bars", kind: "number", attributes: { min: 0, max: 10000, step: 1, placeholder: "the strategy's own" } },
  min_trade_value: { label: "Minimum trade", kind: "number", attributes: { min: 0, step: "any" } },
};
const DEFAULTS = { commission: 0, slippage: 0, parameters: {}, name: "", initial_capital: 10000, benchmark: "SPY", universe: null, seed: 0, risk_free_rate: "", min_trade_value: 1, price_adjustment: "dividends_and_splits", delisting_return: 0, allow_short: false, max_gross: 1, borrow_rate: 0, margin_rate: 0, warmup_bars: "" };

/** The settings behind a summary, in order; most runs leave them alone. */
const MORE = ["universe", "seed", "risk_free_rate", "min_trade_value", "price_adjustment", "delisting_return", "allow_short", "max_gross", "borrow_rate", "margin_rate", "warmup_bars"];
/** Numbers that are not sent when their field is empty. */
const OPTIONAL = ["seed", "min_trade_value", "delisting_return", "max_gross", "borrow_rate", "margin_rate", "warmup_bars"];

const CONTROLS = "input, textarea, select";
const IS_MAC = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);

/** The form below the editor. */
export class Terms {
  /** @type {Map<string, {field: HTMLElement, fault: HTMLElement}>} */
  #fields = new Map();
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>} */
  #inputs = {};
  #costs = { commission: new CostField("Commission", COMMISSIONS, "per_order"), slippage: new CostField("Slippage", SLIPPAGES, "fraction") };
  #note = element("span.soft", { role: "status" });

  /** @param {HTMLFormElement} form @param {{onChange: () => void, onRun: () => void}} react */
  constructor(form, { onChange, onRun }) {
    const names = ["name", "benchmark", "initial_capital", "start_date", "end_date"];
    this.runButton = element("button.main", { type: "submit", "aria-keyshortcuts": `${IS_MAC ? "Meta" : "Control"}+Enter` }, "Run ", element("kbd", { "aria-hidden": "true" }, IS_MAC ? "⌘ ↵" : "Ctrl ↵"));
    fill(
      form,
      element("div.terms-grid", {}, ...names.map((name) => this.#simple(name)), this.#cost("commission"), this.#cost("slippage"), this.#parameters()),
      element("details.more", {}, element("summary", {}, "Symbols, seed, risk-free rate, minimum trade, price adjustment, shorts, leverage, warm-up"), element("div.terms-grid", {}, ...MORE.map((name) => this.#simple(name)))),
      element("div.run-row", {}, this.runButton, this.#note),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      onRun();
    });
    form.addEventListener("input", () => {
      this.showFaults([]);
      onChange();
    });
  }

  /** @param {string} name */
  #simple(name) {
    const { label, kind, size = "", attributes = {}, choices = {} } = SIMPLE[name];
    const options = Object.entries(choices).map(([value, text]) => element("option", { value }, text));
    const common = { id: `term-${name}`, name, ...attributes };
    const input = options.length ? element("select", common, ...options) : element("input", { type: kind, autocomplete: "off", ...common });
    this.#inputs[name] = input;
    return this.#field(name, size, element("label", { for: input.id }, label), input);
  }

  /** @param {"commission" | "slippage"} name */
  #cost(name) {
    return this.#field(name, "half.cost-field", this.#costs[name].group);
  }

  #parameters() {
    const area = element("textarea", { id: "term-parameters", rows: 1, spellcheck: "false" });
    this.#inputs.parameters = area;
    const label = element("label", { for: area.id }, "Parameters (JSON), read in code with ", element("code", {}, "import config"));
    return this.#field("parameters", "wide", label, area);
  }

  /** @param {string} name @param {string} size @param {...HTMLElement} parts */
  #field(name, size, ...parts) {
    const fault = element("p.fault", { id: `fault-${name}`, hidden: true });
    const field = element(`div.field${size ? `.${size}` : ""}`, {}, ...parts, fault);
    this.#fields.set(name, { field, fault });
    return field;
  }

  /** Beside the button. @param {...(string | HTMLElement)} parts none say what always holds */
  showNote(...parts) {
    const shown = parts.length ? parts : ["Runs in a sandbox. The code never sees tomorrow's prices."];
    if (this.#note.textContent !== shown.map((part) => (typeof part === "string" ? part : part.textContent)).join("")) fill(this.#note, ...shown);
  }

  /** Fill the form. @param {Record<string, unknown>} request fields that are missing get their defaults */
  show(request) {
    /** @type {Record<string, unknown>} */
    const full = { ...DEFAULTS, ...request };
    for (const [name, input] of Object.entries(this.#inputs)) {
      input.value = name === "parameters" ? parametersText(full.parameters) : String(full[name] ?? "");
    }
    this.#costs.commission.show(/** @type {Cost} */ (full.commission));
    this.#costs.slippage.show(/** @type {Cost} */ (full.slippage));
    this.showFaults([]);
  }

  /** The universe that overrides the strategy's own; null for none. @returns {string[] | null} */
  get universe() {
    return symbolsOf(this.#inputs.universe.value);
  }

  /**
   * What the form says, as a request without its code.
   *
   * @returns {{request: Record<string, unknown>, faults: Fault[]}}
   */
  read() {
    /** @type {Fault[]} */
    const faults = [];
    /** @type {Record<string, unknown>} */
    const request = { commission: this.#costs.commission.read(), slippage: this.#costs.slippage.read() };
    for (const [name, input] of Object.entries(this.#inputs)) {
      if (input.validity.badInput) faults.push({ field: name, message: "This is incomplete." });
      else request[name] = fieldValue(name, input.value.trim());
    }
    for (const name of ["start_date", "end_date"]) if (!request[name]) faults.push({ field: name, message: "Enter a date." });
    if (request.initial_capital === null) faults.push({ field: "initial_capital", message: "Enter an amount." });
    const [from, to] = [this.#inputs.start_date.value, this.#inputs.end_date.value];
    if (from && to <= from) faults.push({ field: "end_date", message: "This must be after the start date." });
    if (request.parameters instanceof Error) faults.push({ field: "parameters", message: request.parameters.message });
    for (const name of OPTIONAL) if (request[name] === null) delete request[name];
    return { request, faults: uniqueByField(faults) };
  }

  /** @param {Fault[]} faults the first gets the keyboard */
  showFaults(faults) {
    for (const [name, { field, fault }] of this.#fields) {
      const message = faults.find((found) => found.field === name)?.message ?? "";
      fault.textContent = message;
      fault.hidden = !message;
      for (const input of field.querySelectorAll(CONTROLS)) {
        if (message) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
        if (message) input.setAttribute("aria-errormessage", fault.id);
      }
    }
    const first = faults.find(({ field }) => this.#fields.has(field));
    if (!first) return;
    const input = /** @type {HTMLElement | null | undefined} */ (this.#fields.get(first.field)?.field.querySelector(CONTROLS));
    input?.closest("details")?.setAttribute("open", "");
    input?.focus();
  }
}

/** @param {string} text */
function symbolsOf(text) {
  const symbols = text.split(/[\s,]+/).filter(Boolean);
  return symbols.length ? symbols : null;
}

/** @param {string} name @param {string} text */
function fieldValue(name, text) {
  if (name === "parameters") return parsedParameters(text);
  if (name === "universe") return symbolsOf(text);
  if (name === "allow_short") return text === "true";
  if (SIMPLE[name].kind === "number") return text === "" ? null : Number(text);
  if (name === "name" || name === "benchmark") return text || null;
  return text;
}

/** @param {string} text */
function parsedParameters(text) {
  if (!text) return {};
  try {
    const value = JSON.parse(text);
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
    return new Error('Enter a JSON object, such as {"lookback_days": 21}.');
  } catch (error) {
    return new Error(`This is not valid JSON: ${error instanceof Error ? error.message : error}.`);
  }
}

/** @param {unknown} parameters */
function parametersText(parameters) {
  return Object.keys(parameters ?? {}).length ? JSON.stringify(parameters, null, 1).replace(/\n\s*/g, " ") : "{}";
}

/** @param {Fault[]} faults */
function uniqueByField(faults) {
  return faults.filter((fault, index) => faults.findIndex(({ field }) => field === fault.field) === index);
}
