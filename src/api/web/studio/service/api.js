// Every request to the service: same origin, with the token where there is one, refusals as `Problem`.

import { tokenHeaders } from "../state/token.js";
import { cutOff, problemOf, unreachable } from "./problem.js";

/** @import { Explanation, RunList, RunRequest, RunSummary, ValidationAnswer } from "../types.d.ts" */

const API = "api/v1/";

/** The address of a route, relative to the page: it may stand below any path. @param {string} path below /api/v1 */
export function routeAddress(path) {
  return API + path;
}

/**
 * @param {string} path below /api/v1
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} one that says "ok"
 * @throws {import("./problem.js").Problem}
 */
export async function ask(path, options = {}) {
  const answer = await sent(API + path, options);
  if (answer.ok) return answer;
  let body = null;
  try {
    body = await answer.json();
  } catch {
    // A proxy before the service answers in its own words.
  }
  if (answer.status === 401) wantToken();
  throw problemOf(answer.status, body, answer.headers.get("Retry-After"));
}

/** @type {Set<() => void>} */
const tokenListeners = new Set();

/** Call this when a token is required. @param {() => void} listener */
export function onTokenWanted(listener) {
  tokenListeners.add(listener);
}

/** The service does not know who asks. */
export function wantToken() {
  for (const listener of tokenListeners) listener();
}

/** @param {string} address @param {RequestInit} options */
async function sent(address, options) {
  const headers = { Accept: "application/json", ...options.headers, ...tokenHeaders() };
  try {
    return await fetch(address, { ...options, headers, credentials: "same-origin" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable();
  }
}

/** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} the answer's JSON */
async function askJson(path, options = {}) {
  return read(await ask(path, options), options.signal);
}

/** The JSON of an answer, which may be cut off, or come from a proxy. @param {Response} answer @param {AbortSignal | null} [signal] */
async function read(answer, signal) {
  try {
    return await answer.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw cutOff();
  }
}

/** @param {string} path @returns {Promise<Blob>} the answer as it is */
export async function askFile(path) {
  const answer = await ask(path, { headers: { Accept: "*/*" } });
  return answer.blob().catch(() => {
    throw cutOff();
  });
}

/** @param {object} body */
function posted(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** What the service finds by reading the code, without running it. @param {string} code @param {string[] | null} universe overrides its own universe @param {AbortSignal} signal @returns {Promise<ValidationAnswer>} */
export function validate(code, universe, signal) {
  return askJson("validate", { ...posted({ strategy_code: code, universe }), signal });
}

/**
 * Submit a run.
 *
 * @param {RunRequest} request @param {boolean} [isAgain] whether it is computed once more although it exists
 * @returns {Promise<{run: RunSummary, isNew: boolean}>}
 */
export async function submitRun(request, isAgain = false) {
  const answer = await ask(`runs${isAgain ? "?rerun=true" : ""}`, posted(request));
  return { run: await read(answer), isNew: answer.status === 201 };
}

/** The run's summary. @param {string} hash @returns {Promise<RunSummary>} */
export function getRun(hash) {
  return askJson(`runs/${hash}`);
}

/** The request that made the run. @param {string} hash @returns {Promise<RunRequest>} */
export function getRequest(hash) {
  return askJson(`runs/${hash}/request`);
}

/** Cancel a run that waits or runs; one that is over by then is refused, and stays. @param {string} hash */
export function cancelRun(hash) {
  return ask(`runs/${hash}/cancel`, { method: "POST" });
}

/** Delete a run that is over. @param {string} hash */
export function deleteRun(hash) {
  return ask(`runs/${hash}`, { method: "DELETE" });
}

/** A page of past runs. @param {Record<string, string>} filter empty values do not ask @returns {Promise<RunList>} */
export function listRuns(filter) {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value));
  return askJson(`runs?${query}`);
}

/** Which ingredients differ between two runs. @param {string} hash @param {string} against @returns {Promise<Explanation>} */
export function explain(hash, against) {
  return askJson(`runs/${hash}/explain?against=${against}`);
}

/** A file of the page itself. @param {string} path below /studio @returns {Promise<any>} its JSON */
export async function studioFile(path) {
  const answer = await sent(`studio/${path}`, {});
  if (!answer.ok) throw problemOf(answer.status, null, null);
  return read(answer);
}
