import { assertKey } from '../../core/key.ts'
import { closedError, quarantinedCounterError, READ_LATE, timeoutError } from '../api/errors.ts'
import type { Counter } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import { assertRoomForChange } from '../exchange/change-bound.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { SendQueue } from '../exchange/send-queue.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import { type CounterState, counterState } from '../budget/counter-state.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'
import { CounterHandle } from './counter-handle.ts'

export interface CounterParts {
  readonly settings: Settings
  readonly session: Session
  readonly sendQueue: SendQueue
  readonly scheduler: FlushScheduler
  readonly metrics: Metrics
  readonly calls: PendingCalls
}

/** Counters looked at for each one that is added: more than one, so that eviction keeps up with growth. */
const STEPS_PER_ADD = 4

/** The counters of one engine: additions are summed in memory, and one record a flush carries the sum. */
export class Counters {
  readonly #parts: CounterParts
  readonly #states = new Map<string, CounterState>()
  /** The next counter that may be evicted. One iterator for all: a new one would walk over what was deleted before. */
  #hand: Iterator<CounterState> = this.#states.values()

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

  /** Null for what is no counter of this engine. */
  liveOf(counter: unknown): (() => CounterState) | null {
    return counter instanceof CounterHandle && counter.isOf(this) ? () => counter.live() : null
  }

  /** @param given may have been evicted since it was found @param n a safe integer */
  add(given: CounterState, n: number): void {
    const { metrics, scheduler, sendQueue } = this.#parts
    const state = given.evicted ? this.stateOf(given.key) : given
    const pending = state.pending + n
    if (!Number.isSafeInteger(pending)) {
      throw new RangeError(
        `n is too much at once: ${JSON.stringify(state.key)} has ${state.pending} to be sent already`,
      )
    }
    if (scheduler.ended) throw closedError(undefined)
    if (!state.dirty && !state.isQuarantined) this.#assertRoom(state)
    metrics.counterAdds += 1
    state.pending = pending
    if (state.dirty || state.isQuarantined) return
    sendQueue.markCounter(state)
    scheduler.arm()
  }

  async read(state: CounterState): Promise<number> {
    const { calls, scheduler, sendQueue, session, settings } = this.#parts
    if (scheduler.ended) throw closedError(undefined)
    if (state.isQuarantined) throw quarantinedCounterError(state.key)
    if (!state.dirty) this.#assertRoom(state)
    const { deadlineMs } = settings
    const timedOut = (): Error =>
      timeoutError({ deadlineMs, applied: 'no', lastError: session.lastError, outcome: READ_LATE })
    const reader = calls.open<number>({ deadlineMs, timedOut })
    state.readers.add(reader)
    sendQueue.markCounter(state)
    scheduler.wake()
    return reader.promise
  }

  /** The key's one state. Those with nothing to keep are forgotten while there are too many. */
  stateOf(key: string): CounterState {
    const known = this.#states.get(key)
    if (known !== undefined) return known
    const state = counterState(key)
    this.#states.set(key, state)
    for (let step = 0; step < STEPS_PER_ADD && this.#states.size > this.#parts.settings.budgetsMax; step += 1)
      this.#evictNext(state)
    return state
  }

  /** The one at the hand goes if it is idle (CLOCK). @param added is about to be used */
  #evictNext(added: CounterState): void {
    let next = this.#hand.next()
    if (next.done === true) {
      this.#hand = this.#states.values()
      next = this.#hand.next()
    }
    if (next.done === true) return
    const state = next.value
    if (state === added || state.pending !== 0 || state.sent !== null || state.dirty) return
    this.#states.delete(state.key)
    state.evicted = true
  }

  #assertRoom({ key }: CounterState): void {
    assertRoomForChange(this.#parts, this.#parts.sendQueue.size, () => `the call of counter ${JSON.stringify(key)}`)
  }
}
