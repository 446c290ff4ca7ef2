// A commission or a slippage: which model, and its numbers.

import { element, fill } from "./dom.js";

/**
 * @typedef {object} CostModel
 * @property {string} label
 * @property {[string, string, number][]} numbers name on the wire, label, first value
 * @property {[string, Record<string, string>]} [choices] name on the wire and label by value
 */

/** One group of a select and the model's numbers. */
export class CostField {
  #models;
  #plain;
  #select;
  #first;
  #inputs = {};

  /** @param {string} label @param {Record<string, CostModel>} models @param {string} plain the one that a bare number means */
  constructor(label, models, plain) {
    this.#models = models;
    this.#plain = plain;
    const options = Object.entries(models).map(([value, model]) => element("option", { value }, model.label));
    this.#select = element("select", { "aria-label": `${label} model`, onchange: () => this.#showModel({}) }, ...options);
    this.#first = part(label, this.#select);
    this.group = element("div.cost", { role: "group", "aria-label": label }, this.#first);
    this.#showModel({ [models[plain].numbers[0][0]]: 0 });
  }

  #showModel(values) {
    const { numbers, choices } = this.#models[this.#select.value];
    this.#inputs = {};
    const inputs = numbers.map(([name, label, first]) => this.#input(name, label, values[name] ?? first));
    if (choices) inputs.unshift(this.#choice(...choices, values));
    fill(this.group, this.#first, ...inputs);
  }

  #input(name, label, value) {
    const input = element("input", { type: "number", min: 0, step: "any", value });
    this.#inputs[name] = input;
    return part(label, input);
  }

  #choice(name, labels, values) {
    const options = Object.entries(labels).map(([value, label]) => element("option", { value }, label));
    const select = element("select", {}, ...options);
    if (values[name]) select.value = values[name];
    this.#inputs[name] = select;
    return part(name.replaceAll("_", " "), select);
  }

  /** @param {number | Record<string, any>} cost as a request has it */
  show(cost) {
    const first = this.#models[this.#plain].numbers[0][0];
    const model = typeof cost === "number" ? { model: this.#plain, [first]: cost } : cost;
    const isKnown = Object.hasOwn(this.#models, model.model);
    this.#select.value = isKnown ? model.model : this.#plain;
    this.#showModel(isKnown ? model : { [first]: 0 });
  }

  /** @returns {number | Record<string, any>} as a request has it */
  read() {
    const model = this.#select.value;
    const values = Object.entries(this.#inputs).map(([name, input]) => [name, readInput(input)]);
    if (model === this.#plain) return values[0][1];
    return { model, ...Object.fromEntries(values) };
  }
}

/** A control with its name above it. */
function part(label, control) {
  return element("label.cost-part", {}, element("span", {}, label), control);
}

function readInput(input) {
  return input.type === "number" ? Number(input.value) : input.value;
}
