import type { WindowPolicy } from '../../core/policy.ts'
import { type Family, open, type Stats, type Vsa } from '../../index.ts'
import type { StoreTotals } from '../store-totals.ts'
import { type DecisionTally, Decisions } from './decisions.ts'
import type { KeyField } from './key-field.ts'
import { KeyIntervals, type KeyIntervalTally } from './key-intervals.ts'
import { LogClock } from './log-clock.ts'
import type { ReplayRequest } from './replay-request.ts'
import { type ClockedPlace, keptStore, type ReplayStore, scratchStore } from './replay-store.ts'
import { watchStore, type WatchedStore } from './watched-store.ts'

/** An owner with leases exchanges at least each third of this (O6), which must not shorten the flush interval. */
const LEASE_TTL_LEAST_MS = 30_000
/** Requests of one time that may wait together for the store. */
const WAITING_MAX = 1_000

export interface ReplayedEngineOptions {
  readonly key: KeyField
  readonly policy: WindowPolicy
  readonly flushIntervalMs: number
  /** A new place for the rows; absent for a store in memory. */
  readonly place?: ClockedPlace
}

/** What one engine made of a log. */
export interface ReplayOutcome {
  readonly flushIntervalMs: number
  readonly decisions: DecisionTally
  readonly keyIntervals: KeyIntervalTally
  readonly stats: Stats
  /** The most units leased at any one time. */
  readonly leasedMost: number
  /** Of the store, afterwards. */
  readonly totals: StoreTotals
}

/** An engine with the clock and the store of a replay. */
export class ReplayedEngine {
  readonly #flushIntervalMs: number
  readonly #keyIntervals: KeyIntervals
  readonly #clock: LogClock
  readonly #books: ReplayStore
  readonly #store: WatchedStore
  readonly #vsa: Vsa
  readonly #family: Family
  readonly #decisions = new Decisions()

  private constructor({ place, flushIntervalMs, key, policy }: ReplayedEngineOptions, start: number) {
    this.#flushIntervalMs = flushIntervalMs
    this.#keyIntervals = new KeyIntervals(flushIntervalMs)
    this.#clock = new LogClock(start)
    const leaseTtlMs = Math.max(LEASE_TTL_LEAST_MS, 4 * flushIntervalMs)
    const options = { leaseTtlMs, now: () => this.#clock.now() }
    this.#books = place === undefined ? scratchStore(options) : keptStore(place, options)
    this.#store = watchStore(this.#books.store, this.#clock)
    this.#vsa = open({
      store: this.#store,
      label: 'vsa replay',
      flushIntervalMs,
      clock: this.#clock,
      random: () => 0.5, // the same log gives the same answer
      onEvent: () => undefined,
    })
    this.#family = this.#vsa.budgets(key.family, { ...policy, retentionMs: this.#books.retentionMs })
  }

  /** @param start the time of the first request, ms since 1970 */
  static async begin(options: ReplayedEngineOptions, start: number): Promise<ReplayedEngine> {
    const replay = new ReplayedEngine(options, start)
    await replay.#clock.until(replay.#vsa.ready())
    return replay
  }

  /** Asks for the units of each request at its time. A decision may come later, when the time of the log has moved on. */
  async run(requests: readonly ReplayRequest[]): Promise<void> {
    for (const request of requests) {
      this.#keyIntervals.add(request)
      // Those of one time share a store call, as they would in a service.
      if (this.#decisions.waiting >= WAITING_MAX) await this.#clock.settle()
      await this.#clock.moveTo(request.at)
      this.#decisions.note(request, this.#family.of(request.id).admit(request.cost))
    }
  }

  async end(): Promise<ReplayOutcome> {
    await this.#clock.until(this.#vsa.close())
    return {
      flushIntervalMs: this.#flushIntervalMs,
      keyIntervals: this.#keyIntervals.tally,
      decisions: this.#decisions.tally,
      stats: this.#vsa.stats(),
      leasedMost: this.#store.leasedMost,
      totals: await this.#books.totals(),
    }
  }
}
