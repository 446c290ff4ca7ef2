import assert from "node:assert/strict";
import { test } from "node:test";

import { rebasingFactor } from "../../../src/api/web/studio/result/benchmark.js";
import { alignedGrowth } from "../../../src/api/web/studio/result/comparison.js";
import { marksInSight, marksToDraw } from "../../../src/api/web/studio/result/marks.js";
import { alignedPlots, plotPanes } from "../../../src/api/web/studio/result/plots.js";
import { SYMBOL_COLOURS, symbolColours } from "../../../src/api/web/studio/result/symbol-colours.js";
import { cadenceText, settingsOf } from "../../../src/api/web/studio/text/settings.js";
import { StackedSeries } from "../../../src/api/web/studio/view/stacked-series.js";

const DAY = 86_400;

/** A buy and a sell on each of so many days. @param {number} days */
function churning(days) {
  const sides = /** @type {const} */ ([1, -1]);
  return Array.from({ length: days }, (_, day) => sides.map((side) => ({ time: day * DAY, side, count: 1, value: 1, first: day, symbol: "SPY", reason: /** @type {const} */ ("signal") }))).flat();
}

for (const width of [300, 700, 1400]) {
  test(`a curve ${width} pixels wide is not buried under its marks, however many orders there are`, () => {
    for (const days of [30, 250, 2_500, 9_000]) {
      const marks = churning(days);
      const range = { from: 0, to: (days - 1) * DAY };
      const drawn = marksToDraw(marks, range, (range.to - range.from) / width);
      // An arrow is some 10 pixels wide: they cover two fifths of the width at most.
      assert.ok(marksInSight(drawn, range) <= width / 26, `${drawn.length} marks of ${days} days`);
      assert.equal(drawn.reduce((sum, { count }) => sum + count, 0), marks.length, "an order is lost");
      assert.ok(drawn.every(({ time }) => time >= range.from && time <= range.to && time % DAY === 0));
    }
  });
}

test("few marks are drawn each by itself", () => {
  const marks = churning(3);
  assert.deepEqual(marksToDraw(marks, { from: 0, to: 2 * DAY }, (2 * DAY) / 700), marks);
});

test("the benchmark of a range starts where the equity starts there", () => {
  const benchmark = [100, 110, 120, 130].map((value) => ({ value }));
  const close = [100, 105, 90, 99];
  assert.equal(rebasingFactor(benchmark, 0, close, 0), 1);
  assert.equal(rebasingFactor(benchmark, 0, close, 2), 105 / 110);
  // One that begins two days late has its first value on the third day.
  assert.equal(rebasingFactor(benchmark, 2, close, 3), 90 / 100);
  assert.equal(rebasingFactor(benchmark, 2, close, 1), 1);
  assert.equal(rebasingFactor([{ value: 0 }], 0, close, 1), 1);
});

/** @param {number} firstDay @param {number[]} close @param {number} initialCapital */
function run(firstDay, close, initialCapital) {
  return { candles: { time: Float64Array.from(close, (_, index) => (firstDay + index) * DAY), close: Float64Array.from(close) }, initialCapital };
}

test("runs of different windows are compared over the days that they share", () => {
  const { areSame, first, last, lines } = alignedGrowth([run(10, [110, 121, 242, 363], 100), run(12, [50, 25], 50)]);
  assert.deepEqual([areSame, first / DAY, last / DAY], [false, 12, 13]);
  assert.deepEqual(lines[0], [{ time: 12 * DAY, value: 2 }, { time: 13 * DAY, value: 3 }]);
  assert.deepEqual(lines[1], [{ time: 12 * DAY, value: 1 }, { time: 13 * DAY, value: 0.5 }]);
});

test("runs of one window keep every day, and runs without a shared day are each shown whole", () => {
  const same = alignedGrowth([run(10, [110, 121], 100), run(10, [50, 25], 50)]);
  assert.deepEqual([same.areSame, same.lines[0][0].value, same.lines[1][1].value], [true, 1.1, 0.5]);
  const apart = alignedGrowth([run(10, [110, 121], 100), run(20, [50, 25], 50)]);
  assert.deepEqual([apart.areSame, apart.first > apart.last, apart.lines.map((line) => line.length)], [false, true, [2, 2]]);
});

test("a symbol has the same colour in every run", () => {
  const alone = symbolColours(["SPY"]).get("SPY");
  for (const others of [["BND"], ["TLT", "GLD"], ["EFA", "QQQ", "IWM"]]) {
    assert.equal(symbolColours(["SPY", ...others]).get("SPY"), alone);
    assert.equal(symbolColours([...others, "SPY"].reverse()).get("SPY"), alone);
  }
});

test("the symbols of one run have different colours, as long as there are enough", () => {
  const names = Array.from({ length: 200 }, (_, number) => `S${number}`);
  for (let from = 0; from + SYMBOL_COLOURS <= names.length; from += 1) {
    const colours = symbolColours(names.slice(from, from + SYMBOL_COLOURS));
    assert.equal(new Set(colours.values()).size, SYMBOL_COLOURS);
  }
  const all = [...symbolColours(names).values()];
  assert.ok(all.every((number) => number >= 1 && number <= SYMBOL_COLOURS));
});

test("settings are said in words, and one that the page does not know is said too", () => {
  const known = {
    name: "n", starting_equity: 10_000, start_date: "2015-01-01", end_date: "2016-01-01", universe: ["SPY", "BND"], bar_size: "1w",
    execution: "close_to_next_open", commission: { model: "per_share", amount: 0.005, minimum: 1 }, slippage: 0.0000001, min_trade_value: 1,
    benchmark: null, risk_free_rate: 0.02, seed: 7, parameters: { days: 5 },
  };
  const settings = settingsOf(Object.assign(known, { price_adjustment: "dividends_and_splits" }));
  assert.equal(settings.Commission, "per share: amount 0.005, minimum 1");
  assert.equal(settings.Slippage, "0.0000001 of price");
  assert.equal(settings["Risk-free rate"], "0.02 per year");
  assert.equal(settings.Benchmark, "none");
  assert.equal(settings["Price adjustment"], "dividends and splits");
  assert.equal(Object.keys(settings).at(-1), "Price adjustment");
  assert.equal(cadenceText("1q"), "quarterly");
});

test("short positions are stacked below zero, long ones above", () => {
  /** @type {number[][]} */
  const drawn = [];
  const context = { fillStyle: "", fillRect: (/** @type {number[]} */ ...box) => drawn.push(box) };
  const scope = { context, horizontalPixelRatio: 1, verticalPixelRatio: 1 };
  const series = new StackedSeries();
  const day = { time: 0, parts: [0.5, -0.2, 0.25, -0.3] };
  const data = { bars: [{ x: 5, time: 0, originalData: day, barColor: "" }], visibleRange: { from: 0, to: 1 }, barSpacing: 10, conflationFactor: 1 };
  series.update(/** @type {any} */ (data), /** @type {any} */ ({ hues: ["a"] }));
  // Zero is at pixel 100, the whole at 0.
  series.renderer().draw(/** @type {any} */ ({ useBitmapCoordinateSpace: (/** @type {any} */ draw) => draw(scope) }), (value) => /** @type {any} */ (100 - 100 * value), false);
  assert.deepEqual(drawn, [[0, 50, 10, 50], [0, 100, 10, 20], [0, 25, 10, 25], [0, 120, 10, 30]]);
  assert.deepEqual(series.priceValueBuilder(day), [-0.5, 1, 0.25]);
});

test("plots lie on the days of the run, and share a pane where they have one scale", () => {
  const times = Float64Array.of(10, 20, 30);
  const [fast, missing] = alignedPlots([{ name: "fast", points: [[20, 5], [25, 9]] }, { name: "gap", points: [[10, 1], [30, 2]] }, { name: "none", points: [] }], times);
  assert.deepEqual([...fast.values], [NaN, 5, NaN]);
  assert.deepEqual([...missing.values], [1, NaN, 2]);
  /** @param {string} name @param {number[]} values */
  const plot = (name, ...values) => ({ name, values: Float64Array.from(values) });
  const plots = [plot("fast", 180, 200), plot("rsi", 20, 80), plot("slow", NaN, 185, 195), plot("limit", 70, 70), plot("wide", 0, 2000)];
  assert.deepEqual(plotPanes(plots).map((pane) => pane.map(({ name }) => name)), [["fast", "slow"], ["rsi", "limit"], ["wide"]]);
});
