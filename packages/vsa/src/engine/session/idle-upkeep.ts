import type { Clock, Timer } from '../../core/clock.ts'
import type { Batch } from '../../core/exchange.ts'
import type { Caller } from '../../core/standing.ts'
import type { Store } from '../../core/store.ts'

/** The longest silence after which the owner counts as quiet, in ms; otherwise two flush intervals. Its exchanges do upkeep by themselves. */
const QUIET_MAX_MS = 1_000
/**
 * The least pause between two calls. A call pauses for as long as it took: other calls to the store come in between. So 50 reservations in a call of 2.5 ms
 * are 10,000 a second.
 */
const PAUSE_MIN_MS = 2
const RETRY_MS = 10_000
/** What is due later has no timer: an exchange notices it by then. */
const HORIZON_MS = 86_400_000

export interface IdleUpkeepOptions {
  readonly store: Store
  readonly clock: Clock
  readonly flushIntervalMs: number
  readonly exchangeTimeoutMs: number
  /** The owner as it is now; null while it has no epoch, or an exchange is in flight. */
  readonly caller: () => Caller | null
  /** When the last answer came, by the monotonic clock. */
  readonly heardAtMs: () => number
}

/**
 * S10, R3: rows past their retention go, and reservations end, although their owner is quiet, or sends nothing but keepalives. The owner calls the store's upkeep when what
 * it made is due, and goes on until the store has no more. Of reservations it does so also while exchanges are sent, where those have not ended them
 * in time: each ends a few, so that none waits long. One timer, which keeps no process alive, and none while nothing is due within a day.
 */
export class IdleUpkeep {
  readonly #options: IdleUpkeepOptions
  readonly #quietMs: number
  /** By the monotonic clock. */
  #dueAtMs = Infinity
  /** When reservations are to be ended although exchanges are sent. */
  #sweepAtMs = Infinity
  #timer: Timer | null = null
  #isCalling = false
  #ended = false

  constructor(options: IdleUpkeepOptions) {
    this.#options = options
    this.#quietMs = Math.min(2 * options.flushIntervalMs, QUIET_MAX_MS)
  }

  /** The store has something to do then. Null and undefined: nothing is known; nor from what is no number, which a user's store may answer. */
  due(inMs: number | null | undefined): void {
    if (typeof inMs !== 'number' || !(inMs >= 0)) return
    this.#dueAtMs = Math.min(this.#dueAtMs, this.#options.clock.monotonic() + inMs)
    this.#arm()
  }

  /** A batch counts. @param time the owner's time: rows that the batch made have an end of their retention */
  settled({ entries, takes, changes = [] }: Batch, time: number): void {
    let inMs = Infinity
    for (const entry of entries)
      if (entry.kind === 'budget') inMs = Math.min(inMs, (entry.policy?.keepUntil ?? Infinity) + 1 - time)
    let sweepInMs = Infinity
    for (const { remember } of takes)
      if (remember?.as === 'reservation') sweepInMs = Math.min(sweepInMs, remember.ttlMs + 1)
    for (const change of changes)
      if (change.op === 'extend' && change.ttlMs > 0) sweepInMs = Math.min(sweepInMs, change.ttlMs + 1)
    this.#sweepAtMs = Math.min(this.#sweepAtMs, this.#options.clock.monotonic() + sweepInMs + this.#quietMs)
    inMs = Math.min(inMs, sweepInMs)
    if (inMs < Infinity) this.due(inMs)
    else this.#arm()
  }

  end(): void {
    this.#ended = true
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(): void {
    const { store, clock } = this.#options
    if (this.#ended || this.#isCalling || this.#dueAtMs === Infinity || store.upkeep === undefined) return
    const inMs = this.#dueAtMs - clock.monotonic()
    if (inMs <= HORIZON_MS) this.#startTimer(Math.max(inMs, this.#freeInMs(), PAUSE_MIN_MS))
  }

  #startTimer(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.timer(Math.ceil(delayMs), () => this.#tick())
  }

  /** How long until the owner counts as quiet, if no exchange is answered before. */
  #quietInMs(): number {
    return this.#options.heardAtMs() + this.#quietMs - this.#options.clock.monotonic()
  }

  /** How long until it may call. */
  #freeInMs(): number {
    return Math.min(this.#quietInMs(), this.#sweepAtMs - this.#options.clock.monotonic())
  }

  #tick(): void {
    this.#timer = null
    if (this.#freeInMs() > 0) return this.#arm()
    const caller = this.#options.caller()
    // The answer that is awaited arms it again.
    if (caller !== null) this.#call(caller)
  }

  #call(caller: Caller): void {
    const { store, clock, exchangeTimeoutMs } = this.#options
    const startedAtMs = clock.monotonic()
    this.#isCalling = true
    this.#dueAtMs = Infinity
    const isSweeping = this.#sweepAtMs <= startedAtMs
    this.#sweepAtMs = Infinity
    let isOver = false
    const over = (inMs: number | null): void => {
      if (isOver) return
      isOver = true
      limit.cancel()
      this.#isCalling = false
      // Behind: it goes on.
      if (isSweeping && inMs === 0) this.#sweepAtMs = clock.monotonic()
      this.due(inMs === null ? null : Math.max(inMs, clock.monotonic() - startedAtMs))
      // Also what became known during the call, where the store itself knows of nothing.
      this.#arm()
    }
    const limit = clock.timer(exchangeTimeoutMs, () => over(RETRY_MS))
    upkeepOf(store, caller).then(over, () => over(RETRY_MS))
  }
}

/** A store that throws instead of rejecting has failed as well. */
async function upkeepOf(store: Store, caller: Caller): Promise<number | null> {
  return (await store.upkeep?.(caller)) ?? null
}
