// Menus that open over the page close like menus: on Escape, on a click elsewhere, and when the keyboard moves on.

const openMenus = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.menu[open]"));

/** For every menu of the page, present or to come. */
export function startMenus() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      const hadKeyboard = menu.contains(document.activeElement);
      menu.open = false;
      if (hadKeyboard) menu.querySelector("summary")?.focus();
    }
  });
  /** @param {(menu: HTMLDetailsElement) => boolean} isElsewhere */
  const closeWhere = (isElsewhere) => {
    for (const menu of openMenus()) if (isElsewhere(menu)) menu.open = false;
  };
  document.addEventListener("pointerdown", ({ target }) => closeWhere((menu) => !menu.contains(asNode(target))));
  // A click between the items gives the keyboard to the part of the page around the menu, which is not elsewhere.
  document.addEventListener("focusin", ({ target }) => closeWhere((menu) => !menu.contains(asNode(target)) && !asNode(target)?.contains(menu)));
}

/** What an event of the document happened to. @param {EventTarget | null} target */
function asNode(target) {
  return /** @type {Node | null} */ (target);
}
