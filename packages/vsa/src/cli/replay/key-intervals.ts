import type { ReplayRequest } from './replay-request.ts'

/** How many requests of a log share a key and a flush interval. At least one record is needed for each such pair. */
export interface KeyIntervalTally {
  /** Pairs of a key and an interval with at least one request. */
  readonly pairs: number
  /** Requests that were the only one of their pair. */
  readonly alone: number
}

/** Counts pairs of key and interval, for one length of interval. */
export class KeyIntervals {
  readonly #intervalMs: number
  readonly #latest = new Map<string, { interval: number; requests: number }>()
  #pairs = 0
  #alone = 0

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Takes requests in order of time. */
  add({ id, at }: ReplayRequest): void {
    const interval = Math.floor(at / this.#intervalMs)
    const latest = this.#latest.get(id)
    if (latest?.interval === interval) {
      if (latest.requests++ === 1) this.#alone--
      return
    }
    this.#latest.set(id, { interval, requests: 1 })
    this.#pairs++
    this.#alone++
  }

  get tally(): KeyIntervalTally {
    return { pairs: this.#pairs, alone: this.#alone }
  }
}
