// What a year of months made: returns by calendar month and year, from the daily equity.

/**
 * @typedef {object} YearOfReturns
 * @property {number} year
 * @property {(number | null)[]} months twelve fractions; null for a month without a day, or without a base
 * @property {number | null} total fraction, from the year's start or the run's to its end or the run's
 */

/**
 * Returns by month; the first counts from the initial capital, every other from the month before.
 *
 * @param {ArrayLike<number>} times midnight UTC in Unix seconds, ascending
 * @param {ArrayLike<number>} equity at the end of each day
 * @param {number} initialCapital
 * @returns {YearOfReturns[]} the years that have days, oldest first
 */
export function monthlyReturns(times, equity, initialCapital) {
  /** @type {YearOfReturns[]} */
  const years = [];
  let [beforeMonth, beforeYear] = [initialCapital, initialCapital];
  for (let index = 0; index < times.length; index += 1) {
    const [year, month] = yearAndMonth(times[index]);
    const [nextYear, nextMonth] = index + 1 < times.length ? yearAndMonth(times[index + 1]) : [NaN, NaN];
    if (year === nextYear && month === nextMonth) continue;
    if (years.at(-1)?.year !== year) years.push({ year, months: new Array(12).fill(null), total: null });
    years[years.length - 1].months[month] = change(equity[index], beforeMonth);
    beforeMonth = equity[index];
    if (year === nextYear) continue;
    years[years.length - 1].total = change(equity[index], beforeYear);
    beforeYear = equity[index];
  }
  return years;
}

/** @param {number} unixSeconds */
function yearAndMonth(unixSeconds) {
  const day = new Date(unixSeconds * 1000);
  return [day.getUTCFullYear(), day.getUTCMonth()];
}

/** @param {number} after @param {number} before */
function change(after, before) {
  return before > 0 ? after / before - 1 : null;
}
