import type { Clock } from '../../core/clock.ts'
import { StoreError } from '../../core/errors.ts'
import type { EventSink } from '../runtime/event-sink.ts'

/** Whether the store can be reached: the last error, and the events `store_away` and `store_back`. */
export class StoreHealth {
  readonly #clock: Clock
  readonly #emit: EventSink
  #lastError: StoreError | null = null
  #awaySinceMs: number | null = null

  constructor(clock: Clock, emit: EventSink) {
    this.#clock = clock
    this.#emit = emit
  }

  /** Why the last attempt failed; null once an answer has come. */
  get lastError(): StoreError | null {
    return this.#lastError
  }

  failed(error: StoreError): void {
    if (this.#awaySinceMs === null) {
      this.#awaySinceMs = this.#clock.monotonic()
      this.#emit({ type: 'store_away', error })
    }
    this.#lastError = error
  }

  answered(): void {
    this.#lastError = null
    if (this.#awaySinceMs === null) return
    const downMs = this.#clock.monotonic() - this.#awaySinceMs
    this.#emit({ type: 'store_back', downMs })
    this.#awaySinceMs = null
  }
}

export function timedOut(timeoutMs: number): StoreError {
  const message = `the store did not answer within ${timeoutMs} ms; the same call is sent again`
  return new StoreError('store_failed', message, { applied: 'unknown', transient: true })
}

/** S6: the store cannot be told without which row. */
export function refusedBatch(detail: string): StoreError {
  const message = `the store refused a batch: ${detail}`
  return new StoreError('store_failed', message, { applied: 'no', transient: true })
}

/** F8: what the store answered, it may have forgotten since. Nothing of it is used. */
export function lateAnswer(): StoreError {
  const message = 'the store, which may forget, answered later than a lease lives; the same call is sent again'
  return new StoreError('store_failed', message, { applied: 'unknown', transient: true })
}

/** The store's answer is not one to what it was asked. Nothing of it is used. @param fault what is wrong with it */
export function wrongAnswer(fault: string): StoreError {
  const message = `the store gave a wrong answer: ${fault}. Nothing of it was used, and the same call is sent again. Run "vsa verify" on the store; test a store of your own with storeConformance`
  return new StoreError('store_failed', message, { applied: 'unknown', transient: true })
}

/** What a store threw or rejected with, as a store error. */
export function asStoreError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const message = `the store failed: ${cause instanceof Error ? cause.message : String(cause)}`
  return new StoreError('store_failed', message, { applied: 'unknown', transient: true, cause })
}
