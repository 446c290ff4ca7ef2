// A row of tabs and their panels, with the keys that a screen reader's user expects.

import { element } from "./dom.js";

/** Shows one of several panels. */
export class Tabs {
  /** @type {Map<string, {tab: HTMLElement, panel: HTMLElement}>} */
  #tabs = new Map();
  #shown = "";
  #onShow;

  /**
   * @param {string} label of the row
   * @param {Record<string, [title: string, content: HTMLElement]>} panels title and content by name
   * @param {(name: string) => void} onShow
   */
  constructor(label, panels, onShow) {
    this.#onShow = onShow;
    this.row = element("div.tabs", { role: "tablist", "aria-label": label, onkeydown: (event) => this.#keyed(event) });
    this.panels = element("div.tab-panels");
    for (const [name, [title, content]] of Object.entries(panels)) this.#add(name, title, content);
    this.show(Object.keys(panels)[0], false);
  }

  /** @param {string} name @param {string} title @param {HTMLElement} content */
  #add(name, title, content) {
    const tab = element("button.tab", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => this.show(name) }, title);
    const panel = element("div.tab-panel", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, tabindex: 0 }, content);
    this.#tabs.set(name, { tab, panel });
    this.row.append(tab);
    this.panels.append(panel);
  }

  /** @param {string} name @param {boolean} [isTold] whether onShow hears of it */
  show(name, isTold = true) {
    if (!this.#tabs.has(name)) return;
    this.#shown = name;
    for (const [other, { tab, panel }] of this.#tabs) {
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      panel.hidden = other !== name;
    }
    if (isTold) this.#onShow(name);
  }

  /** @param {string} name @param {string} title */
  rename(name, title) {
    const { tab } = this.#tabs.get(name) ?? {};
    if (tab) tab.textContent = title;
  }

  /** @param {KeyboardEvent} event */
  #keyed(event) {
    const names = [...this.#tabs.keys()];
    const place = names.indexOf(this.#shown);
    const step = new Map([["ArrowRight", place + 1], ["ArrowLeft", place - 1], ["Home", 0], ["End", names.length - 1]]).get(event.key);
    if (step === undefined) return;
    event.preventDefault();
    const name = names[(step + names.length) % names.length];
    this.show(name);
    this.#tabs.get(name)?.tab.focus();
  }
}
