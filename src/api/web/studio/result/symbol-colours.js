// The colour of a symbol: made of its name alone, so that it is the same in every run, for every reader.

/** How many colours there are: --symbol-1 and so on in style/base.css. */
export const SYMBOL_COLOURS = 20;

/** Shares no factor with the number of colours: each symbol tries all of them. */
const STEP = 7;

/**
 * Numbers of colours by symbol. A symbol gets the colour of its name; of two in one run with the same, the later in
 * the alphabet takes the next free one, as long as there is one.
 *
 * @param {Iterable<string>} symbols those that are told apart in one run
 * @returns {Map<string, number>} 1 to SYMBOL_COLOURS
 */
export function symbolColours(symbols) {
  const taken = new Set();
  const colours = new Map();
  for (const symbol of [...symbols].sort()) {
    let place = ownPlace(symbol);
    for (let tries = 0; taken.has(place) && tries < SYMBOL_COLOURS; tries += 1) place = (place + STEP) % SYMBOL_COLOURS;
    taken.add(place);
    colours.set(symbol, place + 1);
  }
  return colours;
}

/** @param {string} symbol */
function ownPlace(symbol) {
  // FNV-1a: short names that differ in one letter end far from each other.
  let hash = 0x811c9dc5;
  for (let index = 0; index < symbol.length; index += 1) hash = Math.imul(hash ^ symbol.charCodeAt(index), 0x01000193) >>> 0;
  return hash % SYMBOL_COLOURS;
}
