// How far, when and for how long equity stood below its highest point.

/** A smaller distance from the peak is rounding, not a loss. */
const NEGLIGIBLE = 1e-12;

/**
 * Fractions below the running peak, zero and above; the initial capital is the first peak.
 *
 * @param {ArrayLike<number>} equity at the end of each day
 * @param {number} initialCapital
 * @returns {Float64Array}
 */
export function drawdowns(equity, initialCapital) {
  const depths = new Float64Array(equity.length);
  let peak = initialCapital;
  for (let index = 0; index < equity.length; index += 1) {
    peak = Math.max(peak, equity[index]);
    const below = 1 - equity[index] / peak;
    depths[index] = below > NEGLIGIBLE ? below : 0;
  }
  return depths;
}

/**
 * @typedef {object} Drawdown
 * @property {number} depth positive fraction
 * @property {number} from index of the peak's day; -1 when the peak is the initial capital, before the first day
 * @property {number} lowest index of the deepest day
 * @property {number | null} until index of the day that reached the peak again; null when none did
 * @property {number} days from the peak to the recovery or the last day, in timeline days
 */

/**
 * The deepest falls, each from a peak to the day that reaches it again, deepest first.
 *
 * @param {ArrayLike<number>} depths of `drawdowns`
 * @param {number} count
 * @returns {Drawdown[]}
 */
export function worstDrawdowns(depths, count) {
  /** @type {Drawdown[]} */
  const found = [];
  let from = -1;
  for (let index = 0; index < depths.length; index += 1) {
    if (depths[index] > 0) continue;
    noteStretch(found, depths, from, index);
    from = index;
  }
  noteStretch(found, depths, from, depths.length);
  return found.sort((one, other) => other.depth - one.depth || one.from - other.from).slice(0, count);
}

/** @param {Drawdown[]} found @param {ArrayLike<number>} depths @param {number} from @param {number} end */
function noteStretch(found, depths, from, end) {
  if (end - from < 2) return;
  let lowest = from + 1;
  for (let index = lowest; index < end; index += 1) if (depths[index] > depths[lowest]) lowest = index;
  const isOver = end < depths.length;
  const days = (isOver ? end : end - 1) - from;
  found.push({ depth: depths[lowest], from, lowest, until: isOver ? end : null, days });
}
