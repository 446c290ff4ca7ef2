// Builds elements out of plain calls. Text is always text: nothing that comes from a run is read as HTML.

/**
 * @param {string} tag a name with classes, such as "button.quiet"
 * @param {Record<string, any>} [properties] attributes; functions named on… listen; false, null and undefined are left out
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {any} the element
 */
export function element(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) setProperty(made, key, value);
  made.append(...present(children));
  return made;
}

function setProperty(made, key, value) {
  if (typeof value === "function") made.addEventListener(key.slice(2), value);
  else if (key === "value") made.value = value;
  else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
}

/** Put these in place of all that is in there. @param {Element} parent @param {...any} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...present(children));
  return parent;
}

function present(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false);
}

/** @param {string} id @returns {any} */
export function byId(id) {
  return document.getElementById(id);
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

/** Give an element the colour of its symbol. @param {HTMLElement} made @param {number | undefined} number of the colour; without one it is that of all others */
export function coloured(made, number) {
  made.style.setProperty("--hue", number ? `var(--symbol-${number})` : "var(--hue-8)");
  return made;
}

/** The same colour, let through. @param {string} rgb "rgb(1, 2, 3)" @param {number} opacity */
export function translucent(rgb, opacity) {
  return rgb.replace(/^rgb\(/, "rgba(").replace(/\)$/, `, ${opacity})`);
}
