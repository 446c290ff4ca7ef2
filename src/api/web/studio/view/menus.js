// Menus that open over the page close like menus: on Escape, on a click elsewhere, and when the keyboard moves on.

const OPEN = "details.menu[open]";

/** For every menu of the page, present or to come. */
export function startMenus() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(OPEN)) {
      const hadKeyboard = menu.contains(document.activeElement);
      menu.open = false;
      if (hadKeyboard) menu.querySelector("summary").focus();
    }
  });
  const closeWhere = (isElsewhere) => {
    for (const menu of document.querySelectorAll(OPEN)) if (isElsewhere(menu)) menu.open = false;
  };
  document.addEventListener("pointerdown", ({ target }) => closeWhere((menu) => !menu.contains(target)));
  // A click between the items gives the keyboard to the part of the page around the menu, which is not elsewhere.
  document.addEventListener("focusin", ({ target }) => closeWhere((menu) => !menu.contains(target) && !target.contains(menu)));
}
