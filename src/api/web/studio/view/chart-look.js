// The look of every chart of the page: the style sheets' colours, in the words of the library.

import { ColorType } from "../vendor/lightweight-charts.js";
import { SYMBOL_COLOURS } from "../result/symbol-colours.js";
import { colour, translucent } from "./dom.js";
import { isoDate, shortNumber } from "../text/format.js";

/** @import { ChartOptions, PriceFormatCustom } from "../vendor/lightweight-charts.js" */

/** How money stands on a scale. @type {PriceFormatCustom} */
export const MONEY_FORMAT = { type: "custom", minMove: 0.01, formatter: shortNumber };

/** The page's colours as a canvas wants them; asked again when the theme changes. */
export function chartColours() {
  const [accent, loss, ink] = [colour("--accent"), colour("--loss"), colour("--ink")];
  return {
    accent,
    accentWash: translucent(accent, 0.22),
    gain: colour("--gain"),
    loss,
    lossWash: translucent(loss, 0.2),
    buy: colour("--buy"),
    sell: colour("--sell"),
    benchmark: colour("--benchmark"),
    focus: colour("--focus"),
    paper: colour("--paper"),
    text: colour("--ink-soft"),
    line: colour("--line"),
    grid: translucent(colour("--line"), 0.55),
    watermark: translucent(ink, 0.07),
    symbols: Array.from({ length: SYMBOL_COLOURS }, (_, place) => colour(`--symbol-${place + 1}`)),
    hues: [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(`--hue-${number}`)),
    others: colour("--hue-8"),
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * What stands below the chart: each label says its year or its month, since no other label may be in sight.
 *
 * @param {number} time Unix seconds @param {number} type 0 a year begins, 1 a month, 2 a day
 */
export function dayLabel(time, type) {
  const date = new Date(time * 1000);
  if (type === 0) return String(date.getUTCFullYear());
  const month = MONTHS[date.getUTCMonth()];
  return type === 1 ? `${month} ${date.getUTCFullYear()}` : `${date.getUTCDate()} ${month}`;
}

/** @typedef {ReturnType<typeof chartColours>} ChartColours */

/** @param {ChartColours} colours @returns {ChartOptions} */
export function chartOptions(colours) {
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: colours.paper },
      textColor: colours.text,
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      // The notice stands in the page's footer: the logo would break the page's policy.
      attributionLogo: false,
      panes: { separatorColor: colours.line, separatorHoverColor: colours.grid },
    },
    grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
    rightPriceScale: { borderColor: colours.line, scaleMargins: { top: 0.08, bottom: 0.08 }, entireTextOnly: true },
    // With fixed edges the first and the last label stand inside whole.
    timeScale: { borderColor: colours.line, minBarSpacing: 0.01, rightOffset: 0, fixLeftEdge: true, fixRightEdge: true, tickMarkFormatter: dayLabel, lockVisibleTimeRangeOnResize: true },
    crosshair: { mode: 0, vertLine: { color: colours.text, labelBackgroundColor: colours.text }, horzLine: { color: colours.text, labelBackgroundColor: colours.text } },
    localization: { locale: "en-US", timeFormatter: isoDate },
    handleScale: { axisPressedMouseMove: true },
  };
}
