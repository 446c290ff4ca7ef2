import assert from "node:assert/strict";
import { test } from "node:test";

import { metricRows, normalised } from "../../../src/api/web/studio/result/comparison.js";
import { problemOf, problemOfRun } from "../../../src/api/web/studio/service/problem.js";
import { addressOf, shownBy } from "../../../src/api/web/studio/state/address.js";
import { counted, isoDate, moment, percent, plainNumber, roundMoney, runName, shortNumber, tone, withSign } from "../../../src/api/web/studio/text/format.js";

/** @import { Metric } from "../../../src/api/web/studio/types.d.ts" */
/** @import { Shown } from "../../../src/api/web/studio/state/address.js" */

const [A, B] = ["a".repeat(64), "b".repeat(64)];

test("numbers say their sign once and never a negative zero", () => {
  assert.equal(percent(-0.1234), "−12.34%");
  assert.equal(percent(-0.000001), "0.00%");
  assert.equal(withSign(percent, 0.05), "+5.00%");
  assert.equal(withSign(percent, 0.000001), "0.00%");
  assert.equal(plainNumber(null), "–");
  assert.equal(plainNumber(NaN), "–");
  assert.equal(plainNumber(1234567.891), "1,234,567.89");
  assert.equal(shortNumber(10_450), "10,450");
  assert.equal(shortNumber(1_250_000), "1.25M");
  assert.equal(counted(1, "order"), "1 order");
  assert.equal(isoDate(1577923200), "2020-01-02");
});

test("what is shown as nothing is neither gain nor loss", () => {
  assert.deepEqual([0.01, -0.01, 0, 0.00001, -0.00001, null].map((value) => tone(value)), ["gain", "loss", "", "", "", ""]);
  assert.deepEqual([0.0004, 0.0006].map((value) => tone(value, 1)), ["", "gain"]);
});

test("little money keeps its cents", () => {
  assert.deepEqual([10_000.4, 4.48, -4.48, 0, 99.999].map(roundMoney), ["10,000", "4.48", "−4.48", "0", "100.00"]);
});

test("a moment is in UTC, and says so", () => {
  assert.equal(moment("2026-11-20T23:59:30+00:00"), "2026-11-20 23:59 UTC");
  assert.equal(moment("2026-11-21T01:30:00+02:00"), "2026-11-20 23:30 UTC");
  assert.equal(moment(null), "–");
});

test("a name cannot turn around what stands beside it", () => {
  assert.equal(runName({ name: "a\u202eb\u2066c" }), "abc");
  assert.equal(runName({ name: "\u202e " }), "Unnamed run");
  assert.equal(runName({ name: null }), "Unnamed run");
});

test("an address shows what it was made of", () => {
  /** @type {Shown} */
  const shown = { page: "studio", run: A, compared: [], tab: "orders", order: 16, range: [1420070400, 1430006400] };
  assert.deepEqual(shownBy(addressOf(shown)), shown);
  assert.equal(addressOf(shown), `?run=${A}&tab=orders&order=17&range=2015-01-01..2015-04-26`);
  const compared = shownBy(addressOf({ page: "compare", compared: [A, B] }));
  assert.deepEqual([compared.page, compared.compared], ["compare", [A, B]]);
  assert.equal(shownBy("?runs").page, "runs");
});

test("an address that somebody made up shows the studio and nothing else", () => {
  for (const search of ["?run=<script>", `?compare=${A}`, "?order=-3&tab=x&range=2020-01-02..2019-01-01", `?compare=${A},${A}`]) {
    assert.deepEqual(shownBy(search), { page: "studio", run: "", compared: [], tab: "metrics", order: null, range: null });
  }
});

test("every refusal becomes sentences and places", () => {
  const broken = problemOf(400, { detail: { analysis_errors: ["No (line 3)"], violations: [{ line: 3, message: "No" }] } }, null);
  assert.deepEqual([broken.sentences, broken.violations[0].line], [["No (line 3)"], 3]);
  const fields = problemOf(422, { detail: [{ loc: ["body", "end_date"], msg: "too early", type: "x" }] }, null);
  assert.deepEqual(fields.fields, [{ field: "end_date", message: "too early" }]);
  const busy = problemOf(503, { detail: "full" }, "5");
  assert.deepEqual([busy.sentences, busy.retrySeconds], [["full"], 5]);
  assert.deepEqual(problemOf(502, null, null).sentences, ["The service answered with status 502."]);
  assert.ok((problemOf(429, { detail: "slowly" }, new Date(Date.now() + 600_500).toUTCString()).retrySeconds ?? 0) > 500);
  assert.deepEqual(["soon", ""].map((text) => problemOf(429, null, text).retrySeconds), [null, null]);
  assert.match(problemOf(500, { detail: "ours", request_id: "x1" }, null).message, /x1/);
});

test("a failed run has its line, and one without a line has none", () => {
  const error = { errors: ["ZeroDivisionError: division by zero (line 17, on_data, 2015-03-02)"], traceback: "t", logs: ["l"] };
  const failed = problemOfRun({ status: "failed", error });
  assert.deepEqual([failed.violations[0].line, failed.traceback, failed.logs], [17, "t", ["l"]]);
  assert.deepEqual(problemOfRun({ status: "failed", error: { errors: ["out of memory"] } }).violations, []);
  const cancelled = problemOfRun({ status: "cancelled", error: null, progress: { day: "2015-03-02" } });
  assert.deepEqual([cancelled.title, cancelled.sentences, cancelled.isCalm], ["The run was cancelled.", ["It had reached 2015-03-02."], true]);
  const late = problemOfRun({ status: "timed_out", error: { errors: ["60 s are allowed."], logs: [] }, progress: { day: "2015-03-02" } });
  assert.deepEqual(late.sentences, ["60 s are allowed."]);
});

test("runs are compared from one start and against the first", () => {
  assert.deepEqual(normalised({ time: [1, 2], close: [50, 75] }, 50), [{ time: 1, value: 1 }, { time: 2, value: 1.5 }]);
  const [a, b, c] = ["a", "b", "c"].map((name) => /** @type {Metric} */ ({ name, group: "", label: "", unit: "ratio", explanation: "" }));
  const rows = metricRows([a, b, c], [{ a: 1, b: null }, { a: 3, b: 2, c: null }]);
  assert.deepEqual(rows, [
    { metric: a, values: [1, 3], differences: [0, 2] },
    { metric: b, values: [null, 2], differences: [null, null] },
  ]);
});
