import { must } from './violation.ts'
import type { Violations } from './violations.ts'

/** Store time has leapt when it moves by more. */
const LEAP_MIN_MS = 3_600_000

interface Clocks {
  /** The wall clock of the store's machine, ms since 1970. */
  readonly store: () => number
  /** ms since the run began. */
  readonly trueMs: () => number
}

/** Store time, as its transactions keep it (S1). All times are ms since 1970. */
export class StoreTime {
  readonly #clocks: Clocks
  readonly #violations: Violations
  #time = 0
  #latest = 0
  #latestAtMs = 0
  /** When a transaction was last seen to keep its time. */
  #keptAtMs = 0
  /** Called where it has leapt. @param unseenMs since a transaction was last seen to keep its time */
  onLeap: (from: number, to: number, unseenMs: number) => void = () => undefined

  constructor(clocks: Clocks, violations: Violations) {
    this.#clocks = clocks
    this.#violations = violations
  }

  get now(): number {
    return this.#time
  }

  /** O11: the upper bound of every owner's time: the latest store time plus the time since then. */
  get latest(): number {
    return this.#latest + Math.ceil(this.#clocks.trueMs() - this.#latestAtMs)
  }

  /**
   * The clock's time, where a transaction that told none has it. Ahead of the clock, store time goes on at half its speed, also in transactions that were
   * not seen.
   */
  get known(): number | null {
    const now = this.#clocks.store()
    return now >= this.#time + Math.ceil(this.#clocks.trueMs() - this.#keptAtMs) ? now : null
  }

  seen(time: number): void {
    this.#latest = Math.max(this.latest, time, this.#clocks.store())
    this.#latestAtMs = this.#clocks.trueMs()
  }

  keep(time: number): void {
    const before = this.#time
    this.#violations.attempt(() => must(time >= before, 'S1', () => `store time went back from ${before} to ${time}`))
    this.#time = Math.max(time, before)
    const unseenMs = this.#clocks.trueMs() - this.#keptAtMs
    this.#keptAtMs = this.#clocks.trueMs()
    if (before > 0 && time - before > LEAP_MIN_MS) this.onLeap(before, time, unseenMs)
  }
}
