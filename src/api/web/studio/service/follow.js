// Follows a run's events to their end, over dropped connections and restarts of the service.

import { ask } from "./api.js";
import { EventStreamReader } from "./event-stream.js";

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 10_000;

/**
 * @typedef {object} RunEvent
 * @property {"queued" | "started" | "progress" | "log" | "finished"} kind
 * @property {any} data
 */

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
        yield { kind: event.kind, data: JSON.parse(event.data) };
        if (event.kind === "finished") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFinal(error)) throw error;
      onConnection(false);
      await pause((error.retrySeconds ?? 0) * 1000, signal);
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function opened(hash, lastId, signal) {
  const resume = lastId ? { "Last-Event-ID": lastId } : {};
  return ask(`runs/${hash}/events`, { headers: { Accept: "text/event-stream", ...resume }, signal });
}

async function* eventsOf(answer, lastId) {
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

/** A refusal that waiting does not change; a failed connection has no status. */
function isFinal(error) {
  return error.status >= 400 && error.status < 500 && error.status !== 429;
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
