import type { Decision } from '../core/decision.ts'
import type { StoreError, VsaError } from '../core/errors.ts'
import type { AppliedAnswer, FencedAnswer } from '../core/exchange.ts'
import type { Policy } from '../core/policy.ts'
import { decisionAboutAll, decisionAboutOne, type MadeReservations, onlyOf } from './admission/made-reservations.ts'
import { mergeNeeds } from './admission/needs.ts'
import { checkCloseOptions, checkFlushOptions } from './api/arguments.ts'
import { closeAmbiguousError, closedError, FLUSH_LATE, permanentError, refundLate, timeoutError } from './api/errors.ts'
import { printAsJson } from './api/inspect.ts'
import type {
  AdmitOptions,
  Budget,
  CloseOptions,
  Counter,
  DurableReserve,
  FlushOptions,
  Need,
  Reservation,
  ReserveAllDecision,
  ReserveDecision,
  Source,
  Vsa,
} from './api/public-types.ts'
import type { Settings } from './api/settings.ts'
import type { Family } from './budget/family.ts'
import { clockDifference } from './runtime/clock-difference.ts'
import { Deferred } from './runtime/deferred.ts'
import type { Metrics } from './runtime/metrics.ts'
import { MetricsTable } from './runtime/metrics-table.ts'
import { type Stats, statsOf } from './runtime/stats.ts'
import { Session } from './session/session.ts'
import { type ExitingEngine, type NaturalExit, unsavedText } from './natural-exit.ts'
import { type EngineParts, wire } from './wiring.ts'

type ReserveOptions = AdmitOptions | DurableReserve

/** How long a `close` waits for the store, in ms. */
const CLOSE_DEADLINE_MS = 10_000

/** One running engine: the owner. Implements the public interface, and connects the session with the parts. */
export class Engine implements Vsa {
  static {
    printAsJson(this)
  }

  readonly #settings: Settings
  readonly #table = new MetricsTable()
  readonly #metrics: Metrics = this.#table.engine
  readonly #session: Session
  readonly #parts: EngineParts
  /** What the end of the process does with the engine. Kept here, because it is kept nowhere else. */
  readonly #exiting: ExitingEngine
  readonly #leaveExit: () => void
  #closing: Deferred<void> | null = null
  #clocksCompared = false

  /** @param exit closes the engine at the end of the process; null where nothing does */
  constructor(settings: Settings, exit: NaturalExit | null) {
    this.#settings = settings
    this.#session = this.#makeSession(settings)
    this.#parts = wire(settings, this.#table, this.#session)
    this.#exiting = this.#exitingEngine(Math.ceil(settings.deadlineMs / 2))
    this.#leaveExit = exit?.add(this.#exiting) ?? ((): void => undefined)
    this.#session.start()
  }

  ready(): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closedError(undefined))
    return this.#parts.readyCalls.wait()
  }

  budgets(name: string, policy: Policy | ((id: string) => Policy)): Family {
    return this.#parts.families.declare(name, policy)
  }

  budget(key: string, policy: Policy): Budget {
    return this.#parts.families.single(key, policy)
  }

  counter(key: string): Counter {
    return this.#parts.counters.handle(key)
  }

  async admitAll(needs: readonly Need[], options?: AdmitOptions): Promise<boolean> {
    return this.#parts.trials.admitAll(this.#merge(needs, options), options)
  }

  async decideAll(needs: readonly Need[], options?: AdmitOptions): Promise<Decision> {
    return this.#parts.trials.decideAll(this.#merge(needs, options), options)
  }

  tryAdmitAll(needs: readonly Need[]): boolean {
    return this.#parts.tryAll.tryAdmitAll(needs)
  }

  async reserveAll(needs: readonly Need[], options?: ReserveOptions): Promise<readonly Reservation[] | null> {
    return (await this.#reserveAll(needs, options)).reservations
  }

  async decideReserveAll(needs: readonly Need[], options?: ReserveOptions): Promise<ReserveAllDecision> {
    return decisionAboutAll(await this.#reserveAll(needs, options))
  }

  admitFirst(sources: readonly Source[], units: number, options?: AdmitOptions): Promise<boolean> {
    return this.#parts.waterfalls.admitFirst(sources, units, options)
  }

  decideFirst(sources: readonly Source[], units: number, options?: AdmitOptions): Promise<Decision> {
    return this.#parts.waterfalls.decideFirst(sources, units, options)
  }

  async reserveFirst(sources: readonly Source[], units: number, options?: ReserveOptions): Promise<Reservation | null> {
    return onlyOf(await this.#parts.waterfalls.reserveFirst(sources, units, options))
  }

  async decideReserveFirst(
    sources: readonly Source[],
    units: number,
    options?: ReserveOptions,
  ): Promise<ReserveDecision> {
    return decisionAboutOne(await this.#parts.waterfalls.reserveFirst(sources, units, options))
  }

  stats(): Stats {
    return statsOf(this.#table, {
      unsentUnits: this.#parts.sendQueue.unsentUnits,
      budgets: this.#parts.eviction.size,
      counters: this.#parts.counters.size,
      leasedUnits: this.#parts.leases.leasedUnits,
      epoch: this.#session.epoch,
    })
  }

  async flush(options: FlushOptions = {}): Promise<void> {
    const { returnLeases, deadlineMs } = checkFlushOptions(options, this.#settings.deadlineMs)
    if (this.#closing !== null) return this.#closing.promise
    const timedOut = (): VsaError => this.#flushTimedOut(reply, deadlineMs)
    const reply: Deferred<void> = this.#parts.calls.open<void>({ deadlineMs, timedOut })
    this.#parts.sendQueue.addFlush({ returnLeases, reply })
    this.#parts.scheduler.flushNow()
    return reply.promise
  }

  close(options: CloseOptions = {}): Promise<void> {
    try {
      const { deadlineMs } = checkCloseOptions(options, CLOSE_DEADLINE_MS)
      return this.#close(deadlineMs)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Every call gets the same promise: an error of it that one caller handles is handled. */
  #close(deadlineMs: number): Promise<void> {
    if (this.#closing !== null) return this.#closing.promise
    const closing = new Deferred<void>(this.#settings.clock, deadlineMs, () => this.#giveUp(deadlineMs))
    this.#closing = closing
    this.#leaveExit()
    this.#parts.admission.close()
    this.#parts.readyCalls.close()
    if (this.#isUntouched()) {
      this.#session.abandon()
      this.#parts.scheduler.end()
      this.#closeStore()
    } else {
      this.#parts.scheduler.close()
    }
    return closing.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  toJSON(): { readonly label: string; readonly epoch: number | null; readonly isClosed: boolean } {
    return { label: this.#settings.label, epoch: this.#session.epoch, isClosed: this.#closing !== null }
  }

  #flushTimedOut(reply: Deferred<void>, deadlineMs: number): VsaError {
    const refused = this.#parts.refundWaits.of(reply)
    const outcome = refused === undefined ? FLUSH_LATE : refundLate(refused.key)
    return timeoutError({ deadlineMs, applied: 'unknown', lastError: this.#session.lastError, outcome })
  }

  /** @param deadlineMs how long each of the two steps may take */
  #exitingEngine(deadlineMs: number): ExitingEngine {
    return {
      unsaved: () => this.#unsaved(),
      save: async () => {
        if (this.#unsaved() !== null) await this.flush({ returnLeases: true, deadlineMs })
      },
      close: () => this.#close(deadlineMs),
    }
  }

  #unsaved(): string | null {
    const { counters, intake, leases } = this.#parts
    let refunds = intake.refundedUnits
    for (const { lease } of leases.all()) refunds += lease.refund + (lease.sent?.refund ?? 0)
    return unsavedText({ counters: counters.unsent, refunds, leasedUnits: leases.leasedUnits })
  }

  #makeSession(settings: Settings): Session {
    return new Session(
      { ...settings, metrics: this.#metrics },
      {
        opened: (_epoch, forgot) => this.#opened(forgot),
        settled: (_batch, answer) => this.#parts.exchange.settled(answer),
        fenced: (batch, answer) => this.#parts.exchange.fenced(batch, answer),
        left: (epoch) => this.#parts.exchange.left(epoch),
        leasesStop: (isStopped) => this.#parts.leases.stop(isStopped),
        voided: (batch, row, detail) => this.#parts.exchange.voided(batch, row, detail),
        ended: (_batch, answer) => this.#ended(answer),
        failed: (error) => this.#storeFailed(error),
      },
    )
  }

  #merge(needs: readonly Need[], options?: AdmitOptions): ReturnType<typeof mergeNeeds> {
    this.#parts.admission.check(options)
    return mergeNeeds(needs, this.#settings.store.capabilities.batchMax, this.#parts.slowPath)
  }

  #reserveAll(needs: readonly Need[], options: ReserveOptions | undefined): Promise<MadeReservations> {
    return this.#parts.reservations.reserveAll(needs, this.#merge(needs), options)
  }

  #opened(forgot: boolean): void {
    this.#compareClocks()
    this.#parts.readyCalls.joined()
    this.#parts.exchange.opened(forgot)
    this.#parts.peeks.opened()
  }

  /** Once, when the clock was handed in: a test whose periods never end would not say why. */
  #compareClocks(): void {
    const { clock, isClockGiven, emit } = this.#settings
    if (!isClockGiven || this.#clocksCompared) return
    this.#clocksCompared = true
    const difference = clockDifference(this.#session.time, clock.now())
    if (difference !== null) emit(difference)
  }

  #storeFailed(error: StoreError): void {
    this.#parts.readyCalls.failed(error)
    // Permanent error: fail the waiting requests now.
    if (error.transient) return
    this.#parts.waiting.resolveAll((request) => this.#parts.unanswered.failed(request, error))
    this.#parts.peeks.failed(error)
    for (const { gate, reply, wasSent } of this.#parts.changes.takeAll())
      reply.reject(permanentError(gate.key, error, wasSent ? 'unknown' : 'no'))
  }

  /** There is nothing to settle: no epoch, and nothing was asked or changed. */
  #isUntouched(): boolean {
    if (this.#session.epoch !== null || this.#parts.leases.size > 0 || this.#metrics.waiters > 0) return false
    return this.#parts.sendQueue.isEmpty && this.#parts.intake.isEmpty && this.#parts.changes.isEmpty
  }

  /** The deadline of `close` has passed. */
  #giveUp(deadlineMs: number): VsaError {
    const error = closeAmbiguousError(deadlineMs, this.#session.lastError)
    this.#session.abandon()
    this.#parts.scheduler.end()
    this.#parts.calls.abandon(closedError(undefined, 'unknown'))
    this.#parts.exchange.abandoned()
    this.#tellAll()
    void this.#settings.store.close().catch(() => undefined)
    return error
  }

  /** Nothing more is sent: each request has its answer now. */
  #tellAll(): void {
    this.#parts.waiting.resolveAll((request) => this.#parts.unanswered.closed(request))
    this.#parts.waiting.tellAll()
    this.#parts.peeks.close()
  }

  /** The closing batch counts. */
  #ended(answer: AppliedAnswer | FencedAnswer): void {
    try {
      this.#parts.exchange.closed(answer)
    } finally {
      this.#closeStore()
    }
  }

  #closeStore(): void {
    const closing = this.#closing
    this.#tellAll()
    for (const flush of this.#parts.sendQueue.takeFlushes()) flush.reply.resolve()
    for (const { gate, reply } of this.#parts.changes.takeAll()) reply.reject(closedError(gate.key))
    this.#settings.store.close().then(
      () => closing?.resolve(),
      (error: unknown) => closing?.reject(error),
    )
  }
}
