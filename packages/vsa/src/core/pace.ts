/** Is due at most once per interval. A clock that is set back does not delay it. */
export class Pace {
  readonly #everyMs: number
  #lastAt: number | undefined

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** @param now ms from any origin */
  isDue(now: number): boolean {
    if (this.#lastAt !== undefined && Math.abs(now - this.#lastAt) < this.#everyMs) return false
    this.#lastAt = now
    return true
  }

  /** Makes it due at once. */
  reset(): void {
    this.#lastAt = undefined
  }
}
