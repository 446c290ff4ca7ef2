// A commission or a slippage: which model, and its numbers.

import { element, fill } from "./dom.js";

/** @import { Cost } from "../types.d.ts" */

/**
 * @typedef {object} CostModel
 * @property {string} label
 * @property {[name: string, label: string, first: number][]} numbers the name is that of the wire
 * @property {[name: string, labels: Record<string, string>]} [choices] the labels by value
 */

/** One group of a select and the model's numbers. */
export class CostField {
  #models;
  #plain;
  #select;
  #first;
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
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

  /** @param {Record<string, unknown>} values */
  #showModel(values) {
    const { numbers, choices } = this.#models[this.#select.value];
    this.#inputs = {};
    const inputs = numbers.map(([name, label, first]) => this.#input(name, label, values[name] ?? first));
    if (choices) inputs.unshift(this.#choice(...choices, values));
    fill(this.group, this.#first, ...inputs);
  }

  /** @param {string} name @param {string} label @param {unknown} value */
  #input(name, label, value) {
    const input = element("input", { type: "number", min: 0, step: "any", value });
    this.#inputs[name] = input;
    return part(label, input);
  }

  /** @param {string} name @param {Record<string, string>} labels @param {Record<string, unknown>} values */
  #choice(name, labels, values) {
    const options = Object.entries(labels).map(([value, label]) => element("option", { value }, label));
    const select = element("select", {}, ...options);
    if (values[name]) select.value = String(values[name]);
    this.#inputs[name] = select;
    return part(name.replaceAll("_", " "), select);
  }

  /** @param {Cost} cost as a request has it */
  show(cost) {
    const first = this.#models[this.#plain].numbers[0][0];
    const values = typeof cost === "number" ? { model: this.#plain, [first]: cost } : cost;
    const isKnown = Object.hasOwn(this.#models, values.model);
    this.#select.value = isKnown ? values.model : this.#plain;
    this.#showModel(isKnown ? values : { [first]: 0 });
  }

  /** @returns {Cost} as a request has it */
  read() {
    const model = this.#select.value;
    const values = Object.entries(this.#inputs).map(([name, input]) => [name, readInput(input)]);
    if (model === this.#plain) return Number(values[0][1]);
    return { model, ...Object.fromEntries(values) };
  }
}

/** A control with its name above it. @param {string} label @param {HTMLElement} control */
function part(label, control) {
  return element("label.cost-part", {}, element("span", {}, label), control);
}

/** @param {HTMLInputElement | HTMLSelectElement} input */
function readInput(input) {
  return input.type === "number" ? Number(input.value) : input.value;
}
