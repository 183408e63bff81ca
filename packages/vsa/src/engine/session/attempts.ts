import type { Clock, Timer } from '../../core/clock.ts'

const PAUSE_FIRST_MS = 20
const PAUSE_LONGEST_MS = 2_000

/** The attempts at one call of the store: the time limit of each, the pause before the next (O2), and how long a call takes (O7). */
export class Attempts {
  readonly #clock: Clock
  readonly #random: () => number
  #count = 0
  #sentAtMs = 0
  #timer: Timer | null = null
  #exchangeMs = 1

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  /** Attempts at the present call so far. */
  get count(): number {
    return this.#count
  }

  /** When the present call was first sent, by the monotonic clock. */
  get sentAtMs(): number {
    return this.#sentAtMs
  }

  /** How long an exchange takes, in ms: a moving average. */
  get exchangeMs(): number {
    return this.#exchangeMs
  }

  /** The next attempt is the first of another call. */
  restart(): void {
    this.#count = 0
  }

  begin(): void {
    if (this.#count === 0) this.#sentAtMs = this.#clock.monotonic()
    this.#count += 1
  }

  limit(timeoutMs: number, onTimeout: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.timer(timeoutMs, onTimeout)
  }

  /** Waits before the next attempt: each pause is about twice the one before. */
  pause(retry: () => void): void {
    this.#timer?.cancel()
    const pauseMs = Math.min(PAUSE_FIRST_MS * 2 ** (this.#count - 1), PAUSE_LONGEST_MS)
    this.#timer = this.#clock.timer(pauseMs * (0.5 + this.#random() / 2), retry)
  }

  cancel(): void {
    this.#timer?.cancel()
  }

  /** A moving average, so that one slow exchange does not double every lease. */
  measure(): void {
    const tookMs = this.#clock.monotonic() - this.#sentAtMs
    this.#exchangeMs += (tookMs - this.#exchangeMs) / 8
  }
}
