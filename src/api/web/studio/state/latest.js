// A place on the page shows one thing at a time. What was asked for a former thing and comes late changes nothing.

/** Beginning something here ends what was in progress. */
export class Latest {
  #now = new AbortController();

  /** Something new begins. @returns {AbortSignal} aborted as soon as something else does */
  begin() {
    this.#now.abort();
    this.#now = new AbortController();
    return this.#now.signal;
  }

  /** Of what is there now. @returns {AbortSignal} */
  get signal() {
    return this.#now.signal;
  }
}
