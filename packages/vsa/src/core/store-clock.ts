/** The share of the time passed on its own clock by which a store that is ahead of it goes on. */
const PACE = 0.5
/** Store time moves by no more than this in one transaction while it is ahead of the clock, in ms, and by no more than a third of a lease's life. */
const LEAP_MAX_MS = 5_000

interface Reading {
  /** What the clock said. */
  readonly now: number
  /** Store time then, ms since 1970; with a fraction, so that many short steps add up to one long one. */
  readonly time: number
}

/**
 * Tells one store handle what time it is (S1). Store time is the wall clock's, but never goes back: after the clock was ahead and is
 * set back, store time is ahead of it. It must not stand still until the clock has caught up, or no period would end for hours; and not
 * go as fast as the clock, or it would stay ahead for ever. So it goes on at half that pace:
 *
 *     time = now                                                           when now >= seen
 *     time = max(seen, last.time + min(max(0, now - last.now) / 2, leap))  when now < seen
 *
 * `seen` is the latest time that the books have kept, whoever asked; `last` is this handle's last transaction that was kept. Each
 * handle measures from a transaction of its own, so that a hundred handles on one file make its time go no faster than one does. `leap`,
 * 5 s or a third of a lease's life, bounds what a clock that jumps about behind store time can do: an owner that renews as it
 * should (O6) is not reaped by one leap.
 */
export class StoreClock {
  readonly #now: () => number
  readonly #leapMaxMs: number
  #last: Reading | undefined
  /** Not kept yet. */
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
   * Store time for one transaction, whole ms since 1970. To be called behind its locks.
   * @param seen the latest time that the books have kept
   */
  read(seen: number): number {
    const now = this.#now()
    const time = now < seen ? Math.max(seen, this.#goneOn(now)) : now
    this.#read = { now, time }
    return Math.floor(time)
  }

  /** The books have kept the transaction that was read for last, and its time. Without this it has told nothing. */
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
