import type { Clock } from '../../core/clock.ts'

/** A turn hands out requests for this long, in ms: what is made of them, sent, and told takes several times as long (L8). */
const TURN_MS_MAX = 5
/** Requests between two looks at the clock. */
const LOOKED_EACH = 32

/** Whether a turn has gone on for so long that the rest is for the next one. */
export class TurnTime {
  readonly #clock: Clock
  readonly #startedAtMs: number
  readonly #maxMs: number
  #looks = 0

  constructor(clock: Clock, maxMs: number = TURN_MS_MAX) {
    this.#clock = clock
    this.#maxMs = maxMs
    this.#startedAtMs = clock.monotonic()
  }

  isOver(): boolean {
    this.#looks += 1
    return this.#looks % LOOKED_EACH === 0 && this.#clock.monotonic() - this.#startedAtMs >= this.#maxMs
  }
}
