// Numbers and dates as a person reads them: one place, so that a value looks the same everywhere. The report's twin is
// src/services/results/report/number_format.py.

const LOCALE = "en-US";
const MINUS = "\u2212";
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** A formatter of numbers with so many digits behind the point; made once. @param {number} digits @param {boolean} [compact] */
function numberFormat(digits, compact = false) {
  const key = `${digits} ${compact}`;
  const made = formats.get(key);
  if (made) return made;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  if (compact) Object.assign(options, { notation: "compact", minimumFractionDigits: 0 });
  const format = new Intl.NumberFormat(LOCALE, options);
  formats.set(key, format);
  return format;
}

/** Size from which digits before the point say less than an exponent. */
const EXPONENT_FROM = 1e15;

/** What stands where there is no number. */
export const NOTHING = "–";

/** @param {number | null | undefined} value @param {number} [digits] */
export function plainNumber(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  if (Math.abs(value) >= EXPONENT_FROM) return signed(value.toExponential(2));
  return signed(numberFormat(digits).format(value));
}

/** A fraction as percent: 0.05 is 5.00%. @param {number | null | undefined} value @param {number} [digits] */
export function percent(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  return `${plainNumber(value * 100, digits)}%`;
}

/** With its sign written out, for changes and differences. @template {number | null | undefined} Value @param {(value: Value, digits?: number) => string} format @param {Value} value */
export function withSign(format, value, digits = 2) {
  const text = format(value, digits);
  return Number(value) > 0 && text !== NOTHING && !isZero(text) ? `+${text}` : text;
}

/** Account currency without its name, which the service does not know. @param {number | null | undefined} value */
export function money(value, digits = 2) {
  return plainNumber(value, digits);
}

/** Money without cents, unless it is so little that they are all there is. @param {number | null | undefined} value */
export function roundMoney(value) {
  return money(value, Math.abs(value ?? 0) < 100 && value !== 0 ? 2 : 0);
}

/** Which way a number points once it is rounded as it is shown: nothing is not a gain. @param {number | null | undefined} value @returns {"gain" | "loss" | ""} */
export function tone(value, digits = 2) {
  const shown = percent(value, digits);
  if (shown === NOTHING || isZero(shown)) return "";
  return Number(value) > 0 ? "gain" : "loss";
}

/** Short, for scales: 10,450 and 1.25M. @param {number} value */
export function shortNumber(value) {
  const size = Math.abs(value);
  return signed(numberFormat(size < 100 || size >= 1e6 ? 2 : 0, size >= 1e6).format(value));
}

/** A number of any size that a strategy plotted. @param {number} value */
export function plotNumber(value) {
  return Math.abs(value) >= 1 ? shortNumber(value) : plainNumber(value, 4);
}

/** @param {number | null | undefined} value */
export function wholeNumber(value) {
  return plainNumber(value, 0);
}

/** The ISO date of midnight UTC. @param {number} unixSeconds */
export function isoDate(unixSeconds) {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 10);
}

/** A moment in UTC, like every other time of a run: two people who look at one run read the same. @param {string | null | undefined} isoTime */
export function moment(isoTime) {
  if (!isoTime) return NOTHING;
  return `${new Date(isoTime).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${plainNumber(milliseconds / 1000, 1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

/** "1 order", "2 orders". @param {number | null} count @param {string} thing */
export function counted(count, thing) {
  return `${wholeNumber(count)} ${thing}${count === 1 ? "" : "s"}`;
}

/** A run's name; characters that turn the direction of writing around would turn what stands beside it. @param {{name: string | null}} run */
export function runName({ name }) {
  return (name ?? "").replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "").trim() || "Unnamed run";
}

/** The first digits of a hash: enough to tell two runs apart by eye. @param {string} hash */
export function shortHash(hash) {
  return hash.slice(0, 10);
}

/** @param {string} text */
function signed(text) {
  const isNegative = text.startsWith("-");
  if (isNegative && isZero(text)) return text.slice(1);
  return isNegative ? MINUS + text.slice(1) : text;
}

/** @param {string} text */
function isZero(text) {
  return !/[1-9]/.test(text);
}
