// Follows a run's events to their end, over dropped connections and restarts of the service.

import { ask } from "./api.js";
import { EventStreamReader } from "./event-stream.js";

/** @import { Problem } from "./problem.js" */
/** @import { RunEvent } from "../types.d.ts" */

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Every event once and in order, from the first of the present submission to `finished`.
 *
 * @param {string} hash
 * @param {AbortSignal} signal ends it
 * @param {(isConnected: boolean) => void} onConnection
 * @returns {AsyncGenerator<RunEvent>}
 * @throws {import("./problem.js").Problem} the run is gone, or may not be seen
 */
export async function* follow(hash, signal, onConnection) {
  let lastId = "";
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      const answer = await opened(hash, lastId, signal);
      // No content: everything was told before.
      if (answer.status === 204) return;
      onConnection(true);
      for await (const event of eventsOf(answer, lastId)) {
        [lastId, pauseMs] = [event.id, FIRST_PAUSE_MS];
        yield /** @type {RunEvent} */ ({ kind: event.kind, data: JSON.parse(event.data) });
        if (event.kind === "finished") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      // A connection that breaks later has neither a status nor a time to wait.
      const { status = 0, retrySeconds = null } = /** @type {Partial<Problem>} */ (error);
      if (isFinal(status)) throw error;
      onConnection(false);
      await pause((retrySeconds ?? 0) * 1000, signal);
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** @param {string} hash @param {string} lastId @param {AbortSignal} signal */
function opened(hash, lastId, signal) {
  /** @type {Record<string, string>} */
  const resume = lastId ? { "Last-Event-ID": lastId } : {};
  return ask(`runs/${hash}/events`, { headers: { Accept: "text/event-stream", ...resume }, signal });
}

/** @param {Response} answer @param {string} lastId */
async function* eventsOf(answer, lastId) {
  if (!answer.body) return;
  const events = new EventStreamReader(lastId);
  let isOver = false;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of events.read(value)) {
        isOver ||= event.kind === "finished";
        yield event;
      }
    }
  } finally {
    // After its last event the service ends the stream by itself.
    if (!isOver) reader.cancel().catch(() => {});
  }
}

/** A refusal that waiting does not change. @param {number} status 0 for a failed connection */
function isFinal(status) {
  return status >= 400 && status < 500 && status !== 429;
}

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}
