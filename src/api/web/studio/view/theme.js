// Light or dark: as the system says, until a person says otherwise.

import { keep, kept } from "../state/kept.js";
import { element, fill } from "./dom.js";

const PLACE = "hqg-theme";
const CHOICES = ["auto", "light", "dark"];
const NAMES = { auto: ["◐", "Auto"], light: ["○", "Light"], dark: ["●", "Dark"] };
const listeners = new Set();

function apply(choice) {
  if (choice === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", choice);
  for (const listener of listeners) listener();
}

/** What draws with colours of its own is told when they change. @param {() => void} listener */
export function onThemeChange(listener) {
  listeners.add(listener);
}

function chosen() {
  return document.documentElement.getAttribute("data-theme");
}

function systemIsDark() {
  return window.matchMedia("(prefers-color-scheme: dark)");
}

/** @param {HTMLButtonElement} button takes turns between the choices */
export function startTheme(button) {
  const show = (choice) => {
    apply(choice);
    const [sign, name] = NAMES[choice];
    fill(button, element("span", { "aria-hidden": "true" }, sign), element("span.visually-hidden", {}, "Theme: "), name);
  };
  const before = kept("localStorage", PLACE);
  show(CHOICES.includes(before) ? before : "auto");
  button.addEventListener("click", () => {
    const next = CHOICES[(CHOICES.indexOf(chosen() ?? "auto") + 1) % CHOICES.length];
    keep("localStorage", PLACE, next);
    show(next);
  });
  systemIsDark().addEventListener("change", () => listeners.forEach((listener) => listener()));
}
