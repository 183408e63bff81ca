import type { StoreTime } from './adapter.ts'

/** The speed of store time while it is ahead of the wall clock, as a share of the time that passes. */
const PACE = 0.5
/** The most that store time moves in one transaction while it is ahead of the wall clock, in ms; also at most a third of a lease lifetime. */
const LEAP_MAX_MS = 5_000

interface Reading {
  /** The time of the wall clock. */
  readonly now: number
  /** Store time then, ms since 1970; with a fraction, so that many short steps add up to one long one. */
  readonly time: number
}

/**
 * Store time for one store handle (S1). It is the wall clock's time, but it never goes back: after the clock was ahead and is set back,
 * store time is ahead of the clock. It must not stop until the clock has caught up, or no period would end for hours. It must not
 * advance as fast as the clock, or it would stay ahead for ever. So it advances at half that speed:
 *
 *     time = now                                                           when now >= seen
 *     time = max(seen, last.time + min(max(0, now - last.now) / 2, leap))  when now < seen
 *
 * `seen` is the latest time that the store has kept, for any handle. `last` is this handle's last transaction that was kept. Each handle
 * measures from its own last transaction, so that a hundred handles on one file do not advance its time faster than one. `leap`, 5 s or
 * a third of a lease lifetime, bounds the effect of a clock that jumps while it is behind: an owner that renews in time (O6) is not
 * reaped by one leap.
 */
export class StoreClock {
  readonly #now: () => number
  readonly #leapMaxMs: number
  #last: Reading | undefined
  /** Not stored yet. */
  #read: Reading | undefined

  /**
   * @param now the wall clock, ms since 1970
   * @param leaseTtlMs how long an epoch lives after each exchange
   */
  constructor(now: () => number, leaseTtlMs: number) {
    this.#now = now
    this.#leapMaxMs = leapMaxOf(leaseTtlMs)
  }

  /**
   * Store time for one transaction. Call it while holding the locks.
   * @param timeSeen the latest time that the store has kept
   */
  read(timeSeen: number): StoreTime {
    const now = this.#now()
    // Store time was repaired, or the store restored: what this handle has seen does not count any more.
    if (this.#last !== undefined && Math.floor(this.#last.time) > timeSeen) this.#last = undefined
    const time = now < timeSeen ? Math.max(timeSeen, this.#goneOn(now)) : now
    this.#read = { now, time }
    return { time: Math.floor(time), timeSeen, clock: now }
  }

  /** The transaction of the last `read` was stored with its time. A transaction that was not stored does not count. */
  kept(): void {
    this.#last = this.#read
  }

  #goneOn(now: number): number {
    if (this.#last === undefined) return -Infinity
    const passedMs = Math.max(0, now - this.#last.now) * PACE
    return this.#last.time + Math.min(passedMs, this.#leapMaxMs)
  }
}

/** The most that store time may be past `seen` while the clock is behind it, in whole ms. */
export function leapMaxOf(leaseTtlMs: number): number {
  return Math.min(Math.max(1, Math.floor(leaseTtlMs / 3)), LEAP_MAX_MS)
}
