// Builds elements out of plain calls. Text is always text: nothing that comes from a run is read as HTML.

/** @import { Child, ElementOf, PageElements, Properties } from "../types.d.ts" */

/**
 * @template {string} Tag
 * @param {Tag} tag a name with classes, such as "button.quiet"
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {ElementOf<Tag>}
 */
export function element(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) setProperty(made, key, value);
  made.append(...present(children));
  return /** @type {ElementOf<Tag>} */ (made);
}

/** @param {HTMLElement} made @param {string} key @param {unknown} value */
function setProperty(made, key, value) {
  if (typeof value === "function") made.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
  else if (key === "value") Object.assign(made, { value });
  else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : String(value));
}

/** Put these in place of all that is in there. @param {Element} parent @param {...Child} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...present(children));
  return parent;
}

/** @param {Child[]} children */
function present(children) {
  const shown = children.filter((child) => child !== null && child !== undefined && child !== false);
  return shown.map((child) => (typeof child === "number" ? String(child) : child));
}

/** @template {keyof PageElements} Id @param {Id} id @returns {PageElements[Id]} */
export function byId(id) {
  return /** @type {PageElements[Id]} */ (document.getElementById(id));
}

/** Follow a link within the page, unless another tab or window is wanted. @param {() => void} act @returns {(event: MouseEvent) => void} */
export function followedHere(act) {
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    act();
  };
}

/** Tell a screen reader what changed. @param {string} sentence */
export function announce(sentence) {
  byId("announcer").textContent = sentence;
}

/** A colour of the style sheets as the canvas understands it. @param {string} name such as "--gain" */
export function colour(name) {
  const probe = element("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Give an element the colour of its symbol. @template {HTMLElement} Made @param {Made} made @param {number | undefined} number of the colour; without one it is that of all others */
export function coloured(made, number) {
  made.style.setProperty("--hue", number ? `var(--symbol-${number})` : "var(--hue-8)");
  return made;
}

/** The same colour, let through. @param {string} rgb "rgb(1, 2, 3)" @param {number} opacity */
export function translucent(rgb, opacity) {
  return rgb.replace(/^rgb\(/, "rgba(").replace(/\)$/, `, ${opacity})`);
}
