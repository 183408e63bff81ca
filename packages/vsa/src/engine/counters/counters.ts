import { assertKey } from '../../core/key.ts'
import { closedError, quarantinedCounterError, READ_LATE, timeoutError } from '../api/errors.ts'
import type { Counter } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { SendQueue } from '../exchange/send-queue.ts'
import type { CounterState } from '../rows/counter-state.ts'
import { Deferred } from '../runtime/deferred.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'
import { CounterHandle } from './counter-handle.ts'

export interface CounterParts {
  readonly settings: Settings
  readonly session: Session
  readonly sendQueue: SendQueue
  readonly scheduler: FlushScheduler
  readonly metrics: Metrics
}

/** The counters of one engine: additions are summed in memory, and one record a flush carries the sum. */
export class Counters {
  readonly #parts: CounterParts
  readonly #states = new Map<string, CounterState>()

  constructor(parts: CounterParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#states.size
  }

  /** Counters with additions that are not durable. */
  get unsent(): number {
    let counters = 0
    for (const { pending, sent } of this.#states.values()) if (pending !== 0 || (sent ?? 0) !== 0) counters += 1
    return counters
  }

  /** @throws TypeError, RangeError that name `key` */
  handle(key: string): Counter {
    assertKey('key', key)
    return new CounterHandle(key, this)
  }

  /** @param n a safe integer */
  add(state: CounterState, n: number): void {
    const { metrics, scheduler, sendQueue } = this.#parts
    const pending = state.pending + n
    if (!Number.isSafeInteger(pending)) {
      throw new RangeError(
        `n is too much at once: ${JSON.stringify(state.key)} has ${state.pending} to be sent already`,
      )
    }
    if (scheduler.ended) throw closedError(undefined)
    metrics.counterAdds += 1
    state.pending = pending
    if (state.dirty || state.isQuarantined) return
    sendQueue.markCounter(state)
    scheduler.arm()
  }

  async read(state: CounterState): Promise<number> {
    const { scheduler, sendQueue, session, settings } = this.#parts
    if (scheduler.ended) throw closedError(undefined)
    if (state.isQuarantined) throw quarantinedCounterError(state.key)
    const { clock, deadlineMs } = settings
    const reader = new Deferred<number>(clock, deadlineMs, () =>
      timeoutError({ deadlineMs, applied: 'no', lastError: session.lastError, outcome: READ_LATE }),
    )
    state.readers.push(reader)
    sendQueue.markCounter(state)
    scheduler.wake()
    return reader.promise
  }

  /** The key's one state. Those with nothing to keep are forgotten while there are too many. */
  stateOf(key: string): CounterState {
    const known = this.#states.get(key)
    if (known !== undefined) return known
    const state: CounterState = {
      key,
      pending: 0,
      sent: null,
      dirty: false,
      isQuarantined: false,
      evicted: false,
      readers: [],
      readersSent: [],
    }
    this.#states.set(key, state)
    if (this.#states.size > this.#parts.settings.budgetsMax) this.#evictOne(state)
    return state
  }

  /** The oldest goes if it is idle; else it moves to the end. */
  #evictOne(added: CounterState): void {
    const [oldest] = this.#states.values()
    if (oldest === undefined || oldest === added) return
    this.#states.delete(oldest.key)
    const isIdle = oldest.pending === 0 && oldest.sent === null && !oldest.dirty
    if (isIdle) oldest.evicted = true
    else this.#states.set(oldest.key, oldest)
  }
}
