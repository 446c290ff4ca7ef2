// What a run without a result leaves to look at: its equity up to its end, and what it printed.

import { follow } from "../service/follow.js";
import { element, fill } from "./dom.js";
import { LiveRun, logView, workingDays } from "./live-run.js";

/** @import { RunSummary } from "../types.d.ts" */

const NAME = "Equity until the run ended, not audited";

/** What a run told on its way, from its events; it is over. @param {RunSummary} run @param {AbortSignal} signal */
export async function replayed(run, signal) {
  const live = new LiveRun(() => {});
  try {
    for await (const event of follow(run.run_hash, signal, () => {})) live.tell(event);
  } catch {
    // How it ended is known without them.
  }
  return live;
}

/**
 * @param {Element} body is filled @param {import("./chart-panel.js").ChartPanel} chart
 * @param {RunSummary} run @param {LiveRun} live what it told @param {string[]} logs what its error kept of its output
 */
export function showSeen(body, chart, run, live, logs) {
  const lines = logs.length > live.lines.length ? logs : live.lines;
  const log = lines.length ? element("section.live-log", { "aria-label": "Log" }, element("h3", {}, "Log"), logView(lines)) : null;
  fill(body, live.points.length ? chart.view : null, log);
  if (!live.points.length) return chart.stop();
  chart.showLive(workingDays(run.start_date, run.end_date), NAME);
  chart.chart.growLive(live.points);
}
