import type { Backlog } from '../exchange/send-queue.ts'
import type { CounterState } from '../rows/counter-state.ts'
import { Deferred } from '../runtime/deferred.ts'
import { assertKey } from '../../core/key.ts'
import { describe } from '../../core/units.ts'
import type { Counter } from '../api/public-types.ts'
import { closedError, timeoutError } from '../api/errors.ts'
import type { Flusher } from '../exchange/flush-scheduler.ts'
import type { Session } from '../session/session.ts'
import type { OpenSettings } from '../api/settings.ts'
import type { Tally } from '../runtime/metrics.ts'

/** The counters of one engine: additions are summed in memory, and one record a flush carries the sum. */
export class Counters {
  readonly #settings: OpenSettings
  readonly #session: Session
  readonly #backlog: Backlog
  readonly #flusher: Flusher
  readonly #tally: Tally
  readonly #states = new Map<string, CounterState>()

  constructor(parts: {
    readonly settings: OpenSettings
    readonly session: Session
    readonly backlog: Backlog
    readonly flusher: Flusher
    readonly tally: Tally
  }) {
    this.#settings = parts.settings
    this.#session = parts.session
    this.#backlog = parts.backlog
    this.#flusher = parts.flusher
    this.#tally = parts.tally
  }

  get size(): number {
    return this.#states.size
  }

  /** @throws TypeError, RangeError that name `key` */
  handle(key: string): Counter {
    assertKey('key', key)
    return new CounterHandle(key, this)
  }

  /** @param n a safe integer */
  add(state: CounterState, n: number): void {
    const pending = state.pending + n
    if (!Number.isSafeInteger(pending)) {
      throw new RangeError(
        `n is too much at once: ${JSON.stringify(state.key)} has ${state.pending} to be sent already`,
      )
    }
    if (this.#flusher.ended) throw closedError(undefined)
    this.#tally.counterAdds += 1
    state.pending = pending
    if (state.dirty) return
    this.#backlog.markCounter(state)
    this.#flusher.arm()
  }

  async read(state: CounterState): Promise<number> {
    if (this.#flusher.ended) throw closedError(undefined)
    const { clock, deadlineMs } = this.#settings
    const reader = new Deferred<number>(clock, deadlineMs, () =>
      timeoutError(undefined, deadlineMs, 'no', this.#session),
    )
    state.readers.push(reader)
    this.#backlog.markCounter(state)
    this.#flusher.wake()
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
      evicted: false,
      readers: [],
      readersSent: [],
    }
    this.#states.set(key, state)
    if (this.#states.size > this.#settings.budgetsMax) this.#evictOne(state)
    return state
  }

  /** The oldest goes if it is idle; else it goes to the end of the line. */
  #evictOne(added: CounterState): void {
    const [oldest] = this.#states.values()
    if (oldest === undefined || oldest === added) return
    this.#states.delete(oldest.key)
    const isIdle = oldest.pending === 0 && oldest.sent === null && !oldest.dirty
    if (isIdle) oldest.evicted = true
    else this.#states.set(oldest.key, oldest)
  }
}

class CounterHandle implements Counter {
  readonly key: string
  readonly #counters: Counters
  #state: CounterState | null = null

  constructor(key: string, counters: Counters) {
    this.key = key
    this.#counters = counters
  }

  add(n = 1): void {
    assertSummand(n)
    this.#counters.add(this.#live(), n)
  }

  read(): Promise<number> {
    return this.#counters.read(this.#live())
  }

  #live(): CounterState {
    if (this.#state === null || this.#state.evicted) this.#state = this.#counters.stateOf(this.key)
    return this.#state
  }
}

function assertSummand(n: unknown): void {
  if (typeof n !== 'number') throw new TypeError(`n must be a number, got ${describe(n)}`)
  if (!Number.isSafeInteger(n)) throw new RangeError(`n must be a whole number from -(2^53 - 1) to 2^53 - 1, got ${n}`)
}
