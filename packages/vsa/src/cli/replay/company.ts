import type { ReplayRequest } from './replay-request.ts'

/** How far the requests of a log come together: nobody can write fewer than one record for each key and interval. */
export interface CompanyTally {
  /** Pairs of a key and an interval with at least one request. */
  readonly pairs: number
  /** Requests that were the only one of their key in their interval. */
  readonly alone: number
}

/** Counts, for one length of interval, the requests that have company and those that come alone. */
export class Company {
  readonly #intervalMs: number
  readonly #latest = new Map<string, { interval: number; requests: number }>()
  #pairs = 0
  #alone = 0

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Requests come in order of time. */
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

  get tally(): CompanyTally {
    return { pairs: this.#pairs, alone: this.#alone }
  }
}
