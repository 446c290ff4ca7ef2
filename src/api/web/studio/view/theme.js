// Light or dark: as the system says, until a person says otherwise.

import { keep, kept } from "../state/kept.js";
import { element, fill } from "./dom.js";

const PLACE = "hqg-theme";
const SIGNS_AND_NAMES = { auto: ["◐", "Auto"], light: ["○", "Light"], dark: ["●", "Dark"] };
const CHOICES = /** @type {(keyof typeof SIGNS_AND_NAMES)[]} */ (Object.keys(SIGNS_AND_NAMES));
/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {string} choice */
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
  /** @param {keyof typeof SIGNS_AND_NAMES} choice */
  const show = (choice) => {
    apply(choice);
    const [sign, name] = SIGNS_AND_NAMES[choice];
    fill(button, element("span", { "aria-hidden": "true" }, sign), element("span.visually-hidden", {}, "Theme: "), name);
  };
  const before = kept("localStorage", PLACE);
  show(CHOICES.find((choice) => choice === before) ?? "auto");
  button.addEventListener("click", () => {
    const next = CHOICES[(CHOICES.findIndex((choice) => choice === (chosen() ?? "auto")) + 1) % CHOICES.length];
    keep("localStorage", PLACE, next);
    show(next);
  });
  systemIsDark().addEventListener("change", () => apply(chosen() ?? "auto"));
}
