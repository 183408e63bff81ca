/** The last full batches that count; there must be as many. */
const BATCHES = 8

/** How fast a queue that is longer than one batch is served: by the fastest of the last batches, so that no pause makes it look hopeless. */
export class ServicePace {
  #recent: number[] = []
  #last: { readonly requests: number; readonly atMs: number } | null = null

  /**
   * A batch leaves with `requests` of the queue, and others stay.
   * @returns ms for each request; undefined while too little is known
   */
  full(requests: number, nowMs: number): number | undefined {
    if (this.#last !== null) {
      this.#recent.push((nowMs - this.#last.atMs) / this.#last.requests)
      if (this.#recent.length > BATCHES) this.#recent.shift()
    }
    this.#last = { requests, atMs: nowMs }
    return this.#recent.length < BATCHES ? undefined : Math.min(...this.#recent)
  }

  /** The queue is empty. */
  done(): void {
    this.#recent = []
    this.#last = null
  }
}
