/** A call that waits for its rows for longer has met a store that stands still. */
const WAIT_MIN_MS = 50
/** After such a wait, the store is taken to have stood still since its last transaction. */
const LONG_WAIT_MS = 1_000
/** The most standstills that are kept apart. */
const KEPT_MAX = 64

interface Period {
  readonly from: number
  readonly until: number
}

/**
 * When this handle had to wait for its store (S8): for a lock, a disk, a connection. No owner could renew its epoch then. So an owner whose
 * epoch had not expired when the standstill began gets one lease lifetime after it to exchange, whichever owner comes first.
 *
 * All times are of one clock, ms from any origin: of one that is never set, where there is one.
 */
export class Standstill {
  readonly #graceMs: number
  /** When the first of the calls began that have failed since the last one that got its rows. */
  #failingFrom: number | undefined
  #periods: Period[] = []

  /** @param graceMs how long its effect lasts after its end */
  constructor(graceMs: number) {
    this.#graceMs = graceMs
  }

  /** A call that began then has failed. */
  failed(startedAt: number): void {
    this.#failingFrom = Math.min(this.#failingFrom ?? startedAt, startedAt)
  }

  /**
   * A call has its rows.
   * @param gapMs how long ago the store was last written, by any handle
   */
  ended(startedAt: number, now: number, gapMs: number): void {
    const from = Math.min(this.#failingFrom ?? startedAt, startedAt)
    this.#failingFrom = undefined
    const waitedMs = now - from
    if (waitedMs < WAIT_MIN_MS) return
    this.#forget(now)
    // The newest are merged: a longer list would cost more than it tells.
    if (this.#periods.length >= KEPT_MAX) this.#periods.pop()
    this.#periods.push({ from: waitedMs < LONG_WAIT_MS ? from : Math.min(from, now - gapMs), until: now })
  }

  /** How long ago the earliest one began whose effect lasts; 0 when there is none. */
  ageMs(now: number): number {
    if (this.#periods.length === 0) return 0
    this.#forget(now)
    return this.#periods.reduce((ageMs, { from }) => Math.max(ageMs, now - from), 0)
  }

  /** A clock that was set back ends the effect as well. */
  #forget(now: number): void {
    this.#periods = this.#periods.filter(({ until }) => Math.abs(now - until) <= this.#graceMs)
  }
}
