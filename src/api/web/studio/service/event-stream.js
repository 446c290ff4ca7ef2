// Reads server-sent events from text as it arrives, however it is split. fetch is used for the stream itself, because
// EventSource cannot send a token.

/**
 * @typedef {object} StreamEvent
 * @property {string} kind the event's name, "message" when it has none
 * @property {string} data
 * @property {string} id of the last event that had one, "" before that
 */

/** CR LF, LF or CR; a CR at the very end may be the first half of CR LF. */
const LINE_END = /\r\n|\n|\r(?!$)/;

/** Takes pieces of text, gives whole events. One for each connection. */
export class EventStreamReader {
  #rest = "";
  #kind = "";
  /** @type {string[]} */
  #data = [];
  #id = "";
  #isFirst = true;

  /** @param {string} lastEventId what the connection resumes after */
  constructor(lastEventId = "") {
    this.#id = lastEventId;
  }

  /** @param {string} text @returns {StreamEvent[]} the events that it completes */
  read(text) {
    this.#rest += this.#isFirst ? text.replace(/^\uFEFF/, "") : text;
    if (text) this.#isFirst = false;
    const events = [];
    for (let end = LINE_END.exec(this.#rest); end; end = LINE_END.exec(this.#rest)) {
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#kind = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch() {
    const event = { kind: this.#kind || "message", data: this.#data.join("\n"), id: this.#id };
    const hasData = this.#data.length > 0;
    [this.#kind, this.#data] = ["", []];
    return hasData ? event : null;
  }
}
