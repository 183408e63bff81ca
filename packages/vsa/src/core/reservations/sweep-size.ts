/** The fewest reservations that one sweep takes: fewer would not be worth its commit. About 2 ms on SQLite. */
const SWEPT_MIN = 50
/** An exchange waits for the sweep before it no longer than this, in ms. */
const TOOK_MAX_MS = 5
/** What keeps up with 10,000 ends a second: an engine pauses after a sweep for as long as it took. */
const TOOK_EACH_MAX_MS = 0.05

/**
 * How many reservations one sweep takes. As few as keep up with 10,000 a second, so that an exchange behind it waits for little; more of them where
 * each sweep costs much by itself, as on a slow disk, until it takes 5 ms.
 */
export class SweepSize {
  #count = SWEPT_MIN

  /** From 50 to 125: one that takes 5 ms and fewer than 100 is made larger. */
  get count(): number {
    return this.#count
  }

  /** A sweep of `count` reservations took this long, in ms. */
  took(tookMs: number): void {
    if (tookMs > TOOK_MAX_MS) this.#count = Math.max(SWEPT_MIN, Math.floor(this.#count / 2))
    else if (tookMs > this.#count * TOOK_EACH_MAX_MS) this.#count = Math.ceil(this.#count * 1.25)
    else if (tookMs < (this.#count * TOOK_EACH_MAX_MS) / 2)
      this.#count = Math.max(SWEPT_MIN, Math.floor(this.#count * 0.8))
  }
}
