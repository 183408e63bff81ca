import type { StoreError } from '../../core/errors.ts'
import { closedError, JOIN_LATE, timeoutError } from '../api/errors.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import type { Deferred } from '../runtime/deferred.ts'
import type { Session } from '../session/session.ts'

/** Callers that wait for the first join. */
export class ReadyCalls {
  readonly #calls: PendingCalls
  readonly #deadlineMs: number
  readonly #session: Session
  readonly #waiting = new Set<Deferred<void>>()

  constructor(calls: PendingCalls, deadlineMs: number, session: Session) {
    this.#calls = calls
    this.#deadlineMs = deadlineMs
    this.#session = session
  }

  async wait(): Promise<void> {
    if (this.#session.epoch !== null) return
    const deadlineMs = this.#deadlineMs
    const timedOut = (): Error =>
      timeoutError({ deadlineMs, applied: 'no', lastError: this.#session.lastError, outcome: JOIN_LATE })
    const onSettled = (): void => void this.#waiting.delete(waiting)
    const waiting = this.#calls.open<void>({ deadlineMs, timedOut, onSettled })
    this.#waiting.add(waiting)
    return waiting.promise
  }

  joined(): void {
    for (const waiting of this.#waiting) waiting.resolve()
  }

  /** One attempt to join has failed. */
  failed(error: StoreError): void {
    if (this.#session.epoch !== null) return
    for (const waiting of this.#waiting) waiting.reject(error)
  }

  close(): void {
    for (const waiting of this.#waiting) waiting.reject(closedError(undefined))
  }
}
