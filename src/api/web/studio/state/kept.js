// What the browser keeps for the page. It may refuse: storage can be forbidden or full, and the page works without it.

/** @param {"localStorage" | "sessionStorage"} storage @param {string} place @returns {string | null} */
export function kept(storage, place) {
  try {
    return window[storage].getItem(place);
  } catch {
    return null;
  }
}

/** @param {"localStorage" | "sessionStorage"} storage @param {string} place @param {string | null} value null takes it away @returns {boolean} whether the browser did so */
export function keep(storage, place, value) {
  try {
    if (value === null) window[storage].removeItem(place);
    else window[storage].setItem(place, value);
    return true;
  } catch {
    return false;
  }
}
