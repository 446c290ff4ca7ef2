// The page's own arithmetic against the service's: $NUMBERS names a file that pytest wrote with Python's answers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { drawdowns, worstDrawdowns } from "../../../src/api/web/studio/result/drawdowns.js";
import { monthlyReturns } from "../../../src/api/web/studio/result/returns.js";

const cases = JSON.parse(readFileSync(process.env.NUMBERS ?? "", { encoding: "utf8" }));

/** @param {number | null} own @param {number | null} expected @param {string} what */
function close(own, expected, what) {
  assert.equal(own === null, expected === null, what);
  if (own !== null && expected !== null) assert.ok(Math.abs(own - expected) <= 1e-12 * Math.max(1, Math.abs(expected)), `${what}: ${own} ${expected}`);
}

for (const { name, times, equity, initial, depths, worst, years } of cases) {
  test(`drawdowns are the service's: ${name}`, () => {
    const own = drawdowns(equity, initial);
    for (const [day, expected] of depths.entries()) close(own[day], expected, `day ${day}`);
  });

  test(`the worst drawdowns are the report's: ${name}`, () => {
    const own = worstDrawdowns(drawdowns(equity, initial), worst.length + 5);
    assert.equal(own.length, worst.length);
    own.forEach((found, rank) => {
      const { depth, ...days } = worst[rank];
      close(found.depth, depth, `depth ${rank}`);
      assert.deepEqual({ from: found.from, lowest: found.lowest, until: found.until, days: found.days }, days);
    });
  });

  test(`monthly returns are the report's: ${name}`, () => {
    const own = monthlyReturns(times, equity, initial);
    assert.equal(own.length, years.length);
    for (const [place, { year, months, total }] of own.entries()) {
      assert.equal(year, years[place].year);
      for (const [month, value] of months.entries()) close(value, years[place].months[month], `${year}-${month + 1}`);
      close(total, years[place].total, `${year}`);
    }
  });
}
