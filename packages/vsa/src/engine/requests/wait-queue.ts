import type { Clock, Timer } from '../../core/clock.ts'
import type { Tally } from '../runtime/metrics.ts'
import type { Verdict, Waiter } from './pending-request.ts'

/** Deadlines are met to within this, and 1 ms more for so many who wait: a sweep looks at everybody (L8). */
const SWEEP_PAUSE_MIN_MS = 5
const SWEPT_PER_MS = 2_000

/** Everybody who waits for the store, in order of arrival, and the one timer for all their deadlines. */
export class Waiters {
  readonly #clock: Clock
  readonly #tally: Tally
  /** Says what a waiter whose time is up is told. */
  readonly #expire: (waiter: Waiter) => Verdict
  /** In line from `#head` on; what stands before it has left. */
  #queue: Waiter[] = []
  #head = 0
  #parked: Waiter[] = []
  readonly #sent = new Set<readonly Waiter[]>()
  #sweep: Timer | null = null
  #sweepAtMs = Infinity

  constructor(clock: Clock, tally: Tally, expire: (waiter: Waiter) => Verdict) {
    this.#clock = clock
    this.#tally = tally
    this.#expire = expire
  }

  get queued(): number {
    return this.#queue.length - this.#head
  }

  get parked(): number {
    return this.#parked.length
  }

  /** A new request, last in line. */
  add(waiter: Waiter): void {
    this.#queue.push(waiter)
    this.#tally.waiters += 1
    if (waiter.deadlineAtMs < this.#sweepAtMs) this.#armSweep(waiter.deadlineAtMs)
  }

  /** Hands out the line from its head while `take` has a place. @returns whether nobody is left in line */
  drain(take: (waiter: Waiter) => boolean): boolean {
    for (; this.#head < this.#queue.length; this.#head += 1) {
      const waiter = this.#queue[this.#head]
      if (waiter !== undefined && waiter.state !== 'told' && !take(waiter)) break
    }
    // Those who left are dropped once they are the larger part, so that a long line costs no more for each than a short one.
    if (2 * this.#head >= this.#queue.length) this.#dropLeft()
    return this.#head === this.#queue.length
  }

  /** Looks at everybody in line, and keeps those who are not told by it. */
  visit(look: (waiter: Waiter) => void): void {
    for (let at = this.#head; at < this.#queue.length; at += 1) {
      const waiter = this.#queue[at]
      if (waiter !== undefined && waiter.state !== 'told') look(waiter)
    }
  }

  /** Back to the head of the line, in the order given. */
  requeue(waiters: readonly Waiter[]): void {
    const waiting = waiters.filter((waiter) => waiter.state !== 'told')
    for (const waiter of waiting) waiter.state = 'queued'
    if (waiting.length === 0) return
    this.#queue = waiting.concat(this.#queue.slice(this.#head))
    this.#head = 0
  }

  /** Until the next flush: the units are there, but others hold them. */
  park(waiter: Waiter): void {
    waiter.state = 'parked'
    waiter.refused = true
    this.#parked.push(waiter)
  }

  /** The flush is due, or units have come back: whoever `may` try again goes to the head of the line. */
  unpark(may: (waiter: Waiter) => boolean): void {
    if (this.#parked.length === 0) return
    const staying: Waiter[] = []
    const going: Waiter[] = []
    for (const waiter of this.#parked) (may(waiter) ? going : staying).push(waiter)
    this.#parked = staying
    this.requeue(going)
  }

  /** A request that has its units already and waits for them to be durable: it joins `run`, which is swept as one under way. */
  confirm(run: Waiter[], waiter: Waiter): void {
    waiter.state = 'sent'
    run.push(waiter)
    this.#sent.add(run)
    this.#tally.waiters += 1
    if (waiter.deadlineAtMs < this.#sweepAtMs) this.#armSweep(waiter.deadlineAtMs)
  }

  /** A run is under way: its waiters' deadlines go on. */
  send(run: readonly Waiter[]): void {
    for (const waiter of run) waiter.state = 'sent'
    this.#sent.add(run)
  }

  /** The run's answer is there. */
  arrived(run: readonly Waiter[]): void {
    this.#sent.delete(run)
  }

  /** Gives the verdict, once. */
  tell(waiter: Waiter, verdict: Verdict): void {
    if (waiter.state === 'told') return
    waiter.state = 'told'
    this.#tally.waiters -= 1
    if (this.#tally.waiters === 0) this.#disarmSweep()
    waiter.tell(verdict)
  }

  /** Tells everybody, wherever they wait. */
  tellAll(verdictOf: (waiter: Waiter) => Verdict): void {
    for (const waiter of this.#everybody()) this.tell(waiter, verdictOf(waiter))
    this.#dropTold()
  }

  *#everybody(): Generator<Waiter> {
    yield* this.#queue.slice(this.#head)
    yield* this.#parked
    for (const run of this.#sent) yield* run
  }

  #armSweep(atMs: number): void {
    this.#sweep?.cancel()
    this.#sweepAtMs = atMs
    const pauseMs = Math.max(
      atMs - this.#clock.monotonic(),
      SWEEP_PAUSE_MIN_MS + Math.floor(this.#tally.waiters / SWEPT_PER_MS),
    )
    // Somebody awaits an answer: the process must live to give it.
    this.#sweep = this.#clock.timer(pauseMs, () => this.#sweepDeadlines(), true)
  }

  #disarmSweep(): void {
    this.#sweep?.cancel()
    this.#sweep = null
    this.#sweepAtMs = Infinity
  }

  #sweepDeadlines(): void {
    const nowMs = this.#clock.monotonic()
    let nextAtMs = Infinity
    for (const waiter of [...this.#everybody()]) {
      if (waiter.state === 'told') continue
      if (waiter.deadlineAtMs <= nowMs) this.tell(waiter, this.#expire(waiter))
      else nextAtMs = Math.min(nextAtMs, waiter.deadlineAtMs)
    }
    this.#dropTold()
    this.#disarmSweep()
    if (nextAtMs < Infinity) this.#armSweep(nextAtMs)
  }

  #dropLeft(): void {
    if (this.#head > 0) this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }

  #dropTold(): void {
    this.#dropLeft()
    this.#queue = this.#queue.filter((waiter) => waiter.state !== 'told')
    this.#parked = this.#parked.filter((waiter) => waiter.state !== 'told')
  }
}
