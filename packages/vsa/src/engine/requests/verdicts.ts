import type { Clock } from '../../core/clock.ts'
import type { PendingRequest, Verdict } from './pending-request.ts'

/** The callers that are told in one turn of the event loop: what they do then is theirs, and may take long. */
const PORTION_MAX = 512

interface Told {
  readonly request: PendingRequest
  readonly verdict: Verdict
}

/**
 * Tells callers their verdicts in order, in portions. One answer of the store may decide 100,000 requests, whose callers all go on in the
 * turn in which they are told (L8). And those told first, if they ask again, can be on their way to the store while the others are told.
 */
export class Verdicts {
  readonly #clock: Clock
  /** Told from `#head` on. */
  #waiting: Told[] = []
  #head = 0
  /** In this portion. */
  #told = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  tell(request: PendingRequest, verdict: Verdict): void {
    if (this.#told >= PORTION_MAX || this.#waiting.length > 0) this.#waiting.push({ request, verdict })
    else this.#tellNow(request, verdict)
  }

  /** Tells all that is left, at once. */
  tellAll(): void {
    const waiting = this.#waiting.slice(this.#head)
    this.#dropTold()
    for (const { request, verdict } of waiting) request.tell(verdict)
  }

  /** The next portion comes after the turn that follows: in that one, what the callers ask for now is sent. */
  #startPortion(): void {
    this.#clock.soon(() => this.#clock.soon(() => this.#nextPortion()))
  }

  #nextPortion(): void {
    this.#told = 0
    const waiting = this.#waiting
    const end = Math.min(this.#head + PORTION_MAX, waiting.length)
    for (; this.#head < end; this.#head += 1) {
      const next = waiting[this.#head]
      if (next !== undefined) this.#tellNow(next.request, next.verdict)
    }
    if (this.#head === waiting.length) this.#dropTold()
  }

  #tellNow(request: PendingRequest, verdict: Verdict): void {
    if (this.#told === 0) this.#startPortion()
    this.#told += request.count
    request.tell(verdict)
  }

  #dropTold(): void {
    this.#waiting = []
    this.#head = 0
  }
}
