import type { Clock } from '../../core/clock.ts'

/** O11: an owner's time is the store time of the last answer plus monotonic time since. ms since 1970. */
export class OwnerTime {
  readonly #clock: Clock
  /** With fractions: were they lost with each answer, this owner's time would fall behind, and retries by it would come too early. */
  #time = 0
  #heardAtMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** May go back where an answer shows that it was ahead of the store. */
  get now(): number {
    return Math.floor(this.#exact)
  }

  /** The store time of the last answer, as far as it was believed; 0 before the first. */
  get heard(): number {
    return this.#time
  }

  /** When the last answer came, by the monotonic clock. */
  get heardAtMs(): number {
    return this.#heardAtMs
  }

  /**
   * An answer is at most as old as its call. A time within that age is kept; a time ahead of it is corrected.
   * @param sentAtMs when the call was first sent, by the monotonic clock
   */
  hear(time: number, sentAtMs: number): void {
    const nowMs = this.#clock.monotonic()
    const latest = time + Math.ceil(nowMs - sentAtMs)
    this.#time = Math.max(time, Math.min(this.#exact, latest))
    this.#heardAtMs = nowMs
  }

  get #exact(): number {
    return this.#time + Math.max(0, this.#clock.monotonic() - this.#heardAtMs)
  }
}
