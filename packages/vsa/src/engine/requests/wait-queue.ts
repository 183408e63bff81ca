import type { Clock, Timer } from '../../core/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { DeadlineSweep } from './deadline-sweep.ts'
import type { PendingRequest, RequestTerms, Verdict } from './pending-request.ts'
import { RequestLine, type Shedding } from './request-line.ts'
import { TurnTime } from './turn-time.ts'
import { afterTrial } from './shadow.ts'
import { Verdicts } from './verdicts.ts'

/** Deadlines are met to within this, plus 1 ms for each `SWEPT_PER_MS` requests, because a sweep looks at all of them (L8). */
const SWEEP_PAUSE_MIN_MS = 5
const SWEPT_PER_MS = 2_000
/** The most requests that are refused in one turn (L8): the others in the next turns. */
const REFUSED_MAX = 1_000
/**
 * How long one turn refuses requests, and looks for deadlines that have passed, in ms. An answer, the next batch and the callers' own work may fall into the
 * same pass of the event loop, and all of them add up (L8).
 */
const REFUSING_MS_MAX = 2
const SWEEP_MS_MAX = 3
/** Aborted requests are dropped from the lists once there are so many, and they are the larger part. */
const LIST_SWEPT_FROM = 32

/** All requests that wait for the store, in order of arrival, and one timer for all their deadlines. */
export class WaitQueue {
  readonly #clock: Clock
  readonly #metrics: Metrics
  /** The verdict of a request whose deadline has passed. */
  readonly #expire: (request: PendingRequest) => Verdict
  readonly #line = new RequestLine()
  #parked: PendingRequest[] = []
  /** Whose rows are read before they are asked, in order of arrival. */
  #reading: PendingRequest[] = []
  /** Requests in these lists that left without the list: about as many as were aborted. */
  #gone = 0
  readonly #sent = new Set<readonly PendingRequest[]>()
  readonly #verdicts: Verdicts
  /** Of requests that were asked in this turn. Their deadlines begin at its end, so that the clock is read once for all of them. */
  #new: RequestTerms[] = []
  /** Requests are refused, in portions. */
  #shedding: Shedding | null = null
  #sweep: Timer | null = null
  /** Goes on when the timer fires. */
  #sweeping: DeadlineSweep | null = null
  #sweepAtMs = Infinity

  constructor(clock: Clock, metrics: Metrics, expire: (request: PendingRequest) => Verdict) {
    this.#clock = clock
    this.#metrics = metrics
    this.#expire = expire
    this.#verdicts = new Verdicts(clock)
  }

  get queued(): number {
    return this.#line.length
  }

  get parked(): number {
    return this.#parked.length
  }

  /** Entries of all lists but those in flight; some may have left already. */
  get size(): number {
    return this.queued + this.#parked.length + this.#reading.length
  }

  /** A new request, last in the queue. */
  add(request: PendingRequest): void {
    this.#line.push(request)
    this.#arrive(request)
  }

  /** The last request in the queue; undefined when it is empty. */
  get last(): PendingRequest | undefined {
    return this.#line.last
  }

  /** One more caller has joined the last request in the queue. */
  joined(): void {
    this.#metrics.waiters += 1
    this.#line.joined()
  }

  /** A new request whose rows are read before they are asked. */
  read(request: PendingRequest): void {
    request.state = 'reading'
    this.#reading.push(request)
    this.#arrive(request)
  }

  /** Hands out the requests that wait for reads, in order, until `take` leaves one. */
  drainReading(take: (request: PendingRequest) => boolean): void {
    const reading = this.#reading
    this.#reading = []
    const left = reading.findIndex((request) => request.state !== 'resolved' && !take(request))
    if (left >= 0) this.#reading = reading.slice(left).concat(this.#reading)
  }

  /** At the end of each turn in which requests came. */
  startDeadlines(): void {
    if (this.#new.length === 0) return
    const nowMs = this.#clock.monotonic()
    let firstAtMs = Infinity
    for (const terms of this.#new) {
      terms.deadlineAtMs = nowMs + terms.deadlineMs
      firstAtMs = Math.min(firstAtMs, terms.deadlineAtMs)
    }
    this.#new = []
    if (this.#sweeping !== null) this.#sweeping.dueAt(firstAtMs)
    else if (firstAtMs < this.#sweepAtMs && this.#metrics.waiters > 0) this.#armSweep(firstAtMs, nowMs)
  }

  /** Hands out the queue from its head while `take` has a place, and the turn time. @returns whether the queue is empty now */
  drain(take: (request: PendingRequest) => boolean): boolean {
    return this.#line.drain(new TurnTime(this.#clock), take)
  }

  /** Refuses requests whose answer would come after their deadline: the last ones first, so that those before them are served. */
  shed(shedding: Shedding): void {
    const isUnderWay = this.#shedding !== null
    this.#shedding = shedding
    if (!isUnderWay) this.#shedPortion()
  }

  /** Looks at every request in the queue. */
  visit(look: (request: PendingRequest) => void): void {
    for (const request of this.#line.values()) if (request.state !== 'resolved') look(request)
  }

  /** Back to the head of the queue, in the order given. */
  requeue(requests: readonly PendingRequest[]): void {
    const waiting = requests.filter((request) => request.state !== 'resolved')
    for (const request of waiting) {
      request.state = 'queued'
      this.#sweeping?.dueAt(request.deadlineAtMs)
    }
    if (waiting.length === 0) return
    this.#line.putFirst(waiting)
  }

  /** Until the next try: the units exist, but other owners hold them. */
  park(request: PendingRequest): void {
    request.refused = true
    this.delay(request)
  }

  /** Until the next try: the store could not tell whether there are units. */
  delay(request: PendingRequest): void {
    request.state = 'parked'
    this.#sweeping?.dueAt(request.deadlineAtMs)
    this.#parked.push(request)
  }

  /** The pause is over, or units have come back: the requests that `may` try again go to the head of the queue. */
  unpark(may: (request: PendingRequest) => boolean): void {
    if (this.#parked.length === 0) return
    const staying: PendingRequest[] = []
    const going: PendingRequest[] = []
    for (const request of this.#parked) (may(request) ? going : staying).push(request)
    this.#parked = staying
    this.requeue(going)
  }

  /** A request that has its units and waits for them to be durable: it joins `run`, whose deadlines are swept. */
  confirm(run: PendingRequest[], request: PendingRequest): void {
    request.state = 'sent'
    run.push(request)
    this.#sent.add(run)
    this.#arrive(request)
  }

  /** A run is in flight: the deadlines of its requests go on. */
  send(run: readonly PendingRequest[]): void {
    for (const request of run) request.state = 'sent'
    this.#sent.add(run)
  }

  /** The run has its answer. */
  arrived(run: readonly PendingRequest[]): void {
    this.#sent.delete(run)
  }

  /** Resolves the request, once. */
  resolve(request: PendingRequest, verdict: Verdict): void {
    if (request.state === 'resolved') return
    request.state = 'resolved'
    this.#metrics.waiters -= request.count
    if (this.#metrics.waiters === 0) this.#disarmSweep()
    this.#verdicts.tell(request, afterTrial(request, verdict))
  }

  /** The caller does not wait any more. Its request leaves its list, too: while the store hangs, nothing else would remove it. */
  abort(request: PendingRequest, reason: unknown): void {
    if (request.state === 'resolved') return
    if (request.state !== 'sent') this.#gone += 1
    this.resolve(request, { kind: 'failed', error: reason })
    this.#dropGone()
  }

  /** Resolves all requests: queued, parked and in flight. */
  resolveAll(verdictOf: (request: PendingRequest) => Verdict): void {
    // Making a verdict counts it: those that have one get no other.
    for (const request of this.#all()) if (request.state !== 'resolved') this.resolve(request, verdictOf(request))
    this.#dropResolved()
  }

  /** Callers that have a verdict and were not told yet are told now. */
  tellAll(): void {
    this.#verdicts.tellAll()
  }

  *#all(): Generator<PendingRequest> {
    yield* this.#line.values()
    yield* this.#parked
    yield* this.#reading
    for (const run of this.#sent) yield* run
  }

  /** Refuses some, and goes on in the next turn, with what is known then of the store's pace. */
  #shedPortion(): void {
    if (this.#shedding === null) return
    const nowMs = this.#clock.monotonic()
    const late = this.#line.late(this.#shedding, nowMs)
    const turn = new TurnTime(this.#clock, REFUSING_MS_MAX)
    let refused = 0
    let next = late.next()
    for (; next.done !== true && refused < REFUSED_MAX && !turn.isOver(); next = late.next()) {
      const { request, ahead } = next.value
      refused += request.count
      this.#gone += 1
      this.resolve(request, this.#shedding.refuse(request, ahead))
    }
    this.#dropGone()
    if (next.done === true) this.#shedding = null
    else this.#clock.soon(() => this.#shedPortion())
  }

  #arrive(request: PendingRequest): void {
    this.#metrics.waiters += request.count
    const { terms } = request
    if (terms.isWaiting) return
    terms.isWaiting = true
    this.#new.push(terms)
  }

  #armSweep(atMs: number, nowMs: number): void {
    this.#sweep?.cancel()
    this.#sweepAtMs = atMs
    const sweepMs = Math.floor(this.#metrics.waiters / SWEPT_PER_MS)
    // Requests that a sweep has left over go at once.
    const pauseMs = atMs <= nowMs ? SWEEP_PAUSE_MIN_MS : Math.max(atMs - nowMs, SWEEP_PAUSE_MIN_MS + sweepMs)
    // A caller awaits the answer: the process must not exit before.
    this.#sweep = this.#clock.timer(pauseMs, () => this.#sweepDeadlines(), true)
  }

  #disarmSweep(): void {
    this.#sweep?.cancel()
    this.#sweep = null
    this.#sweeping = null
    this.#sweepAtMs = Infinity
  }

  #sweepDeadlines(): void {
    const nowMs = this.#clock.monotonic()
    const sweep = this.#sweeping ?? new DeadlineSweep(this.#listAll())
    const isDone = sweep.portion(nowMs, new TurnTime(this.#clock, SWEEP_MS_MAX), (request) =>
      this.resolve(request, this.#expire(request)),
    )
    if (sweep.hasExpired) this.#line.dropFirst()
    if (isDone && sweep.hasExpired) this.#dropResolved()
    this.#disarmSweep()
    if (this.#metrics.waiters === 0) return
    // Where some have expired, the queue is looked at once more before those in flight, whose answer may come first.
    if (!isDone && !sweep.hasExpired) this.#sweeping = sweep
    if (!isDone || sweep.firstAtMs < Infinity) this.#armSweep(isDone ? sweep.firstAtMs : nowMs, nowMs)
  }

  /** As `#all`, in a list: that takes a tenth of the time. */
  #listAll(): readonly PendingRequest[] {
    const all = this.#line.list().concat(this.#parked, this.#reading)
    for (const run of this.#sent) for (const request of run) all.push(request)
    return all
  }

  /** What left without its list is dropped once it is the larger part; at the end of the queue, where it is shed, at once. */
  #dropGone(): void {
    this.#gone -= this.#line.dropLast()
    if (this.#gone >= LIST_SWEPT_FROM && 2 * this.#gone >= this.size) this.#dropResolved()
  }

  #dropResolved(): void {
    this.#line.dropResolved()
    this.#parked = this.#parked.filter((request) => request.state !== 'resolved')
    this.#reading = this.#reading.filter((request) => request.state !== 'resolved')
    this.#gone = 0
  }
}
