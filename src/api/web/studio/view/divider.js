// The line between editor and result: drawn by the pointer or moved by keys, and remembered.

import { keep, kept } from "../state/kept.js";

const PLACE = "hqg-editor-share";
const [LEAST, FIRST, MOST] = [25, 38, 65];
const STEP = 2;

/** @param {HTMLElement} divider a separator @param {HTMLElement} frame what it divides */
export function startDivider(divider, frame) {
  let share = FIRST;
  /** @param {number} wanted percent */
  const move = (wanted) => {
    share = Math.round(Math.min(Math.max(wanted, LEAST), MOST) * 10) / 10;
    frame.style.setProperty("--editor-share", `${share}%`);
    divider.setAttribute("aria-valuenow", String(Math.round(share)));
    divider.setAttribute("aria-valuetext", `${Math.round(share)}% of the page`);
  };
  /** @param {number} wanted percent */
  const settle = (wanted) => {
    move(wanted);
    keep("localStorage", PLACE, String(share));
  };
  divider.setAttribute("aria-valuemin", String(LEAST));
  divider.setAttribute("aria-valuemax", String(MOST));
  move(Number(kept("localStorage", PLACE)) || FIRST);

  divider.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    divider.focus();
    divider.setPointerCapture(event.pointerId);
  });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const { left, width } = frame.getBoundingClientRect();
    move(((event.clientX - left) / width) * 100);
  });
  divider.addEventListener("pointerup", () => settle(share));
  divider.addEventListener("dblclick", () => settle(FIRST));
  divider.addEventListener("keydown", (event) => {
    const wanted = new Map([["ArrowLeft", share - STEP], ["ArrowRight", share + STEP], ["Home", LEAST], ["End", MOST]]).get(event.key);
    if (wanted === undefined) return;
    event.preventDefault();
    settle(wanted);
  });
}
