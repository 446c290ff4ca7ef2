// The benchmark beside a part of a run: it starts where the equity starts there.

/**
 * By what the benchmark is multiplied so that it equals the equity at the close before the first day in sight.
 *
 * @param {{value: number}[]} benchmark one a day, scaled to the initial capital @param {number} begins place of its first day
 * @param {ArrayLike<number>} close equity by day
 * @param {number} from place of the first day in sight
 * @returns {number} one where the benchmark has no such close, as before the first day of all
 */
export function rebasingFactor(benchmark, begins, close, from) {
  const before = benchmark[from - 1 - begins]?.value;
  return before > 0 ? close[from - 1] / before : 1;
}
