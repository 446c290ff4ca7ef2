// Every refusal of the service becomes one shape: sentences for a person, and places in the code or the form.

/** @import { Fault, RunErrorAnswer, Status, ViolationAnswer } from "../types.d.ts" */

/**
 * What a problem may have besides its title.
 *
 * @typedef {object} Found
 * @property {string[]} [sentences]
 * @property {ViolationAnswer[]} [violations] places in the code
 * @property {Fault[]} [fields] places in the form
 * @property {string} [traceback]
 * @property {string[]} [logs]
 * @property {number} [status] of the HTTP answer, 0 where there was none
 * @property {number | null} [retrySeconds]
 * @property {boolean} [isCalm] nothing went wrong: a person asked for it
 */

/** What went wrong, ready to be shown. */
export class Problem extends Error {
  /** @param {string} title @param {Found} [found] */
  constructor(title, found = {}) {
    super([title, ...(found.sentences ?? [])].join(" "));
    this.title = title;
    this.sentences = found.sentences ?? [];
    this.violations = found.violations ?? [];
    this.fields = found.fields ?? [];
    this.traceback = found.traceback ?? "";
    this.logs = found.logs ?? [];
    this.status = found.status ?? 0;
    this.retrySeconds = found.retrySeconds ?? null;
    this.isCalm = found.isCalm ?? false;
  }
}

/** The service could not be reached at all. */
export function unreachable() {
  return new Problem("The service is not responding.", { sentences: ["Check that it is running and that you are online."] });
}

/** The answer began, and never came to its end. */
export function cutOff() {
  return new Problem("The response was cut off.", { sentences: ["The connection to the service broke in the middle of it."] });
}

/** Any error, ready to be shown. @param {unknown} error @returns {Problem} */
export function asProblem(error) {
  return error instanceof Problem ? error : new Problem("Something went wrong in this page.", { sentences: [String(error)] });
}

/**
 * @param {number} status
 * @param {any} body the answer's JSON; null where there is none
 * @param {string | null} retryAfter the header of that name
 * @returns {Problem}
 */
export function problemOf(status, body, retryAfter) {
  const detail = body?.detail;
  const common = { status, retrySeconds: secondsOf(retryAfter) };
  if (Array.isArray(detail)) return fieldProblem(detail, common);
  if (detail?.violations) {
    return new Problem("The code breaks a rule.", {
      ...common,
      sentences: detail.analysis_errors,
      violations: detail.violations,
    });
  }
  if (detail?.execution_errors) {
    return failureProblem(detail.execution_errors, detail.traceback, detail.logs, common);
  }
  if (detail?.data_errors) return new Problem("Prices are missing.", { ...common, sentences: detail.data_errors });
  const sentences = typeof detail === "string" ? [detail] : [`The service answered with status ${status}.`];
  if (body?.request_id) sentences.push(`request_id: ${body.request_id}`);
  return new Problem(TITLES[status] ?? "That did not work.", { ...common, sentences });
}

/** A proxy may write a date, or nonsense. @param {string | null} retryAfter */
function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\s*\d+\s*$/.test(retryAfter) ? Number(retryAfter) : Math.ceil((Date.parse(retryAfter) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(seconds, 0) : null;
}

/** @type {Record<number, string>} */
const TITLES = {
  401: "This service needs an access token.",
  403: "This token is not allowed to use the service.",
  404: "There is no such run.",
  413: "That is too large.",
  429: "Too many requests.",
  502: "The price source is not responding.",
  503: "The service is busy.",
  504: "That took too long.",
};

/** @param {{loc: (string | number)[], msg: string}[]} detail @param {Found} common */
function fieldProblem(detail, common) {
  const fields = detail.map((problem) => ({
    field: String(problem.loc.find((part, index) => index > 0 && typeof part === "string") ?? problem.loc[0]),
    message: problem.msg,
  }));
  const sentences = fields.map(({ field, message }) => `${field}: ${message}`);
  return new Problem("Some settings are not valid.", { ...common, sentences, fields });
}

/** What a strategy did while it ran. @param {string[]} errors @param {string} [traceback] @param {string[]} [logs] @param {Found} [common] */
export function failureProblem(errors, traceback = "", logs = [], common = {}) {
  return new Problem("The strategy failed.", {
    ...common,
    sentences: errors,
    violations: errors.map(placeOf).filter((place) => place !== null),
    traceback,
    logs,
  });
}

/** Why a run that is over did not succeed. @param {{status: Status, error: Partial<RunErrorAnswer> | null, progress?: {day: string} | null}} run */
export function problemOfRun(run) {
  const { error } = run;
  const reached = run.progress ? [`It had reached ${run.progress.day}.`] : [];
  if (run.status === "cancelled") return new Problem("The run was cancelled.", { sentences: reached, logs: error?.logs, isCalm: true });
  if (run.status === "timed_out") {
    // Its own sentence knows the day better than the last progress that was told.
    return new Problem("The run took too long.", { sentences: error?.errors?.length ? error.errors : reached, logs: error?.logs });
  }
  return failureProblem(error?.errors ?? ["No reason was given."], error?.traceback, error?.logs);
}

const PLACE = /\(line (\d+)[^()]*\)\s*$/;

/** A sentence that ends with its place, as in "… (line 17, on_data, 2015-03-02)". @param {string} sentence @returns {ViolationAnswer | null} */
function placeOf(sentence) {
  const match = PLACE.exec(sentence);
  return match && { message: sentence, line: Number(match[1]), column: null, end_line: null, end_column: null };
}
