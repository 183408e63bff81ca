import type { Timer } from '../../core/clock.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { IDLE_FLUSHES } from '../rows/row-schedule.ts'
import { WindowRollover } from '../rows/window-rollover.ts'
import { BatchPlanner } from './batch-planner.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { InFlightSlot } from './in-flight-batch.ts'

/** While a flush waits for refunds that the store does not accept yet, they are sent again after this long, in ms; sooner with a shorter interval. */
const REFUND_PAUSE_MS = 100
/** Requests that wait for units of other owners are tried again after this long, in ms, or a flush interval where that is shorter. */
const RETRY_MS = 100

/** An answer to so many rows has taken up a pass of the event loop: the next batch is made in the pass after it (L8). */
const RESTS_FROM_ROWS = 250

/** Decides when an exchange leaves: at once for requests that wait and leases that run low, each flush interval for all that changed. */
export class FlushScheduler {
  readonly inFlight: InFlightSlot = new InFlightSlot()
  readonly #parts: ExchangeParts
  readonly #planner: BatchPlanner
  readonly #rollover: WindowRollover
  #scheduled = false
  /** A large answer was settled in this pass of the event loop. */
  #isResting = false
  #timer: Timer | null = null
  #timerAtMs = Infinity
  #flushAtMs = -Infinity
  #refundTimer: Timer | null = null
  /** When parked requests are tried again; Infinity while none is parked. */
  #retryAtMs = Infinity
  #closing = false
  /** Until then a close waits for refunds that the store does not accept yet: their admissions may be in another owner's delta. */
  #lingerUntilMs = -Infinity
  #ended = false

  constructor(parts: ExchangeParts) {
    const { settings, session, leases, sendQueue } = parts
    const { clock, flushIntervalMs } = settings
    this.#parts = parts
    this.#planner = new BatchPlanner(parts)
    this.#rollover = new WindowRollover({
      ...{ clock, flushIntervalMs, session, leases },
      markDirty: (row) => sendQueue.markDirty(row),
      markUrgent: (row) => sendQueue.markUrgent(row),
      wake: () => this.wake(),
    })
  }

  get isClosing(): boolean {
    return this.#closing
  }

  /** The last batch has been sent: nothing more is accepted (O13). */
  get ended(): boolean {
    return this.#ended
  }

  /** While closing, refunds that the store does not accept yet may be sent again. */
  get lingers(): boolean {
    return this.#closing && this.#parts.settings.clock.monotonic() < this.#lingerUntilMs
  }

  /** Sends after this turn, when nothing is in flight. */
  wake(): void {
    if (this.#scheduled || this.#ended) return
    this.#scheduled = true
    this.#parts.settings.clock.soon(() => {
      this.#scheduled = false
      this.#parts.waiting.startDeadlines()
      this.#send()
    })
  }

  /** The row goes out now, without waiting for the interval. */
  urge(row: LeasedRow): void {
    this.#parts.sendQueue.markUrgent(row)
    this.wake()
  }

  /** Everything that is dirty goes out now, without waiting for the interval. */
  flushNow(): void {
    this.#parts.sendQueue.due = true
    this.wake()
  }

  /** Sets the timer for the next flush or keepalive, if there is anything to flush or to keep. An owner that holds nothing has none (O6). */
  arm(): void {
    if (this.#ended || !this.#parts.session.hasJoined) return
    const { changes, leases, sendQueue, session, waiting, settings } = this.#parts
    if (leases.size === 0) this.#rollover.stop()
    const nowMs = settings.clock.monotonic()
    const { flushIntervalMs } = settings
    // Infinity when there is nothing to flush.
    const restMs = sendQueue.isEmpty && waiting.parked === 0 ? leases.restMs : 0
    if (restMs > flushIntervalMs) this.#flushAtMs = nowMs + restMs
    else if (this.#flushAtMs <= nowMs || this.#flushAtMs > nowMs + flushIntervalMs)
      this.#flushAtMs = nowMs + flushIntervalMs
    if (waiting.parked === 0 && !changes.hasParked) this.#retryAtMs = Infinity
    else if (this.#retryAtMs === Infinity)
      this.#retryAtMs = nowMs + Math.max(Math.min(flushIntervalMs, RETRY_MS), session.frozenMs)
    const atMs = Math.min(this.#flushAtMs, this.#retryAtMs, this.#keepaliveAtMs())
    if (atMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = settings.clock.timer(Math.max(0, Math.ceil(atMs - nowMs)), () => this.#tick())
  }

  /** An answer is settled: the next exchange leaves at once where something waits for it; in the next pass of the event loop, where the answer was large. */
  settled(rows: number): void {
    if (rows < RESTS_FROM_ROWS) return this.goOn()
    const { clock } = this.#parts.settings
    this.#isResting = true
    // The first one still runs in this pass, and so does what the callers who are told now ask for.
    clock.soon(() =>
      clock.soon(() => {
        this.#isResting = false
        this.goOn()
      }),
    )
  }

  /** The next exchange leaves at once where something waits for it. */
  goOn(): void {
    const { changes, recollection, sendQueue, waiting } = this.#parts
    const waits = waiting.queued > 0 || changes.waiting > 0
    if (this.#closing || recollection.isDue || sendQueue.hasUrgent || waits) this.wake()
    this.arm()
  }

  /** A flush waits for refunds that the store does not accept yet: their rows go again after a pause, whatever the interval. */
  retryRefunds(): void {
    const { refundWaits, sendQueue, settings } = this.#parts
    if (refundWaits.isEmpty || this.#refundTimer !== null || this.#ended) return
    const pauseMs = Math.min(settings.flushIntervalMs, REFUND_PAUSE_MS)
    this.#refundTimer = settings.clock.timer(pauseMs, () => {
      this.#refundTimer = null
      for (const row of refundWaits.rows()) sendQueue.markUrgent(row)
      if (!refundWaits.isEmpty) this.wake()
    })
  }

  /** The row has a lease: the edges of its period are watched. */
  watchWindow(row: LeasedRow): void {
    this.#rollover.watch(row)
  }

  /** O13: sends what is left, returns every lease, and closes the epoch with the last batch. */
  close(): void {
    const { clock, flushIntervalMs } = this.#parts.settings
    this.#closing = true
    this.#lingerUntilMs = clock.monotonic() + IDLE_FLUSHES * flushIntervalMs
    this.#parts.leases.retireAll()
    this.#parts.waiting.unpark(() => true)
    this.#rollover.stop()
    this.flushNow()
  }

  /** A closing batch did not count, so it was not the last one. */
  reopen(): void {
    this.#ended = false
  }

  /** Nothing more is sent or accepted, whatever is left. */
  end(): void {
    this.#ended = true
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAtMs = Infinity
    this.#refundTimer?.cancel()
    this.#refundTimer = null
    this.#rollover.stop()
  }

  #tick(): void {
    this.#timer = null
    this.#timerAtMs = Infinity
    const { changes, settings, waiting, sendQueue } = this.#parts
    const nowMs = settings.clock.monotonic()
    if (nowMs >= this.#flushAtMs) {
      this.#flushAtMs += settings.flushIntervalMs
      sendQueue.due = true
    }
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Infinity
      waiting.unpark(() => true)
      changes.unpark()
    }
    this.#send()
    this.arm()
  }

  #send(): void {
    const { changes, session, sendQueue, waiting } = this.#parts
    if (session.state !== 'ready' || this.#ended || this.#isResting) return
    if (this.#closing) {
      sendQueue.due = true
      // Each request has its answer before the last batch is sent (O13).
      waiting.unpark(() => true)
      changes.unpark()
    }
    const planned = this.#planner.plan(this.#closing, this.lingers)
    if (planned === null) {
      // The turn was over before a request was found that the store must be asked for.
      if (waiting.queued > 0) this.wake()
      return
    }
    this.inFlight.put(planned.inFlight)
    // O13: a refund after the last batch could not reach the store.
    if (planned.content.close) this.#ended = true
    session.send(planned.content)
  }

  /** While an exchange is in flight, no keepalive is due. */
  #keepaliveAtMs(): number {
    const { leases, recollection, session } = this.#parts
    // F6: also what a store may forget is kept alive.
    if ((leases.leasedUnits === 0 && recollection.isEmpty) || session.state !== 'ready') return Infinity
    return session.keepaliveAtMs
  }
}
