import type { Clock } from '../../core/clock.ts'
import type { StoreError } from '../../core/errors.ts'
import { closedError, JOIN_LATE, timeoutError } from '../api/errors.ts'
import { Deferred } from '../runtime/deferred.ts'
import type { Session } from '../session/session.ts'

/** Callers that wait for the first join. */
export class ReadyCalls {
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #session: Session
  readonly #waiting = new Set<Deferred<void>>()

  constructor(clock: Clock, deadlineMs: number, session: Session) {
    this.#clock = clock
    this.#deadlineMs = deadlineMs
    this.#session = session
  }

  wait(): Promise<void> {
    if (this.#session.epoch !== null) return Promise.resolve()
    const deadlineMs = this.#deadlineMs
    const waiting = new Deferred<void>(this.#clock, deadlineMs, () =>
      timeoutError({ deadlineMs, applied: 'no', lastError: this.#session.lastError, outcome: JOIN_LATE }),
    )
    this.#waiting.add(waiting)
    return waiting.promise
  }

  joined(): void {
    for (const waiting of this.#waiting) waiting.resolve()
    this.#waiting.clear()
  }

  /** One attempt to join has failed. */
  failed(error: StoreError): void {
    if (this.#session.epoch !== null) return
    for (const waiting of this.#waiting) waiting.reject(error)
    this.#waiting.clear()
  }

  close(): void {
    for (const waiting of this.#waiting) waiting.reject(closedError(undefined))
  }
}
