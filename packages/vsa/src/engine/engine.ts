import type { Decision } from '../core/decision.ts'
import type { AppliedAnswer, FencedAnswer } from '../core/exchange.ts'
import type { StoreError, VsaError } from '../core/errors.ts'
import type { Policy } from '../core/policy.ts'
import { AdmissionController } from './admission/admission-controller.ts'
import { Decisions } from './admission/decisions.ts'
import { Mints } from './admission/mints.ts'
import { mergeNeeds } from './admission/needs.ts'
import { Peeks } from './admission/peeks.ts'
import { ReadyCalls } from './admission/ready-calls.ts'
import { Refunds } from './admission/refunds.ts'
import { UnansweredRequests } from './admission/unanswered-requests.ts'
import { assertDuration } from './api/durations.ts'
import { closeAmbiguousError, closedError, timeoutError } from './api/errors.ts'
import type { AdmitOptions, Budget, CloseOptions, Counter, FlushOptions, Need, Vsa } from './api/public-types.ts'
import type { Settings } from './api/settings.ts'
import { ClockEviction } from './budget/clock-eviction.ts'
import type { Family } from './budget/family.ts'
import { FamilyRegistry } from './budget/family-registry.ts'
import type { Gate } from './budget/gate.ts'
import { PolicyCache } from './budget/policy-cache.ts'
import type { SlowPath } from './budget/slow-path.ts'
import { Counters } from './counters/counters.ts'
import { ChangeIntake } from './exchange/change-intake.ts'
import { ExchangeListener } from './exchange/exchange-listener.ts'
import { FlushScheduler } from './exchange/flush-scheduler.ts'
import { SendQueue } from './exchange/send-queue.ts'
import { RequestTable } from './requests/row-requests.ts'
import { WaitQueue } from './requests/wait-queue.ts'
import { LeaseTable } from './rows/lease-table.ts'
import { Deferred } from './runtime/deferred.ts'
import { Metrics } from './runtime/metrics.ts'
import { type Stats, statsOf } from './runtime/stats.ts'
import { Session } from './session/session.ts'

/** How long a `close` waits for the store, in ms. */
const CLOSE_DEADLINE_MS = 10_000

/** One running engine: the owner. Puts the parts together, and implements the public interface. */
export class Engine implements Vsa {
  readonly #settings: Settings
  readonly #metrics = new Metrics()
  readonly #session: Session
  readonly #leases: LeaseTable
  readonly #waiting: WaitQueue
  readonly #unanswered: UnansweredRequests
  readonly #sendQueue = new SendQueue()
  readonly #scheduler: FlushScheduler
  readonly #intake: ChangeIntake
  readonly #exchange: ExchangeListener
  readonly #admission: AdmissionController
  readonly #slowPath: SlowPath<Gate>
  readonly #counters: Counters
  readonly #eviction: ClockEviction
  readonly #families: FamilyRegistry
  readonly #readyCalls: ReadyCalls
  #closing: Deferred<void> | null = null

  constructor(settings: Settings) {
    const { clock, flushIntervalMs, deadlineMs, store } = settings
    const metrics = this.#metrics
    const sendQueue = this.#sendQueue
    const requests = new RequestTable()
    const session = this.#makeSession(settings)
    const unanswered = new UnansweredRequests(settings, metrics, session)
    const waiting = new WaitQueue(clock, metrics, (request) => unanswered.expired(request))
    const leases = new LeaseTable(clock, session, requests)
    const parts = { settings, session, leases, waiting, requests, sendQueue, metrics }
    const scheduler = new FlushScheduler(parts)
    const intake = new ChangeIntake(parts, scheduler)
    const decisions = new Decisions(session, flushIntervalMs)
    const admission = new AdmissionController({ ...parts, scheduler, intake, decisions })
    const ready = (): Promise<void> => this.ready()
    this.#slowPath = slowPathOf(admission, {
      refunds: new Refunds({ ...parts, scheduler, intake }),
      mints: new Mints({ settings, session, intake, isClosed: () => admission.isClosed }),
      peeks: new Peeks({ store, session, scheduler, ready }),
    })
    this.#eviction = new ClockEviction({
      max: settings.budgetsMax,
      isIdle: (gate) => leases.isIdle(gate),
      drop: (gate) => leases.drop(gate),
    })
    const { eviction, slowPath } = { eviction: this.#eviction, slowPath: this.#slowPath }
    this.#families = new FamilyRegistry({ slowPath, metrics, eviction, policies: new PolicyCache() })
    this.#counters = new Counters({ settings, session, sendQueue, scheduler, metrics })
    this.#readyCalls = new ReadyCalls(clock, deadlineMs, session)
    this.#exchange = new ExchangeListener(parts, scheduler, intake)
    this.#settings = settings
    this.#session = session
    this.#leases = leases
    this.#waiting = waiting
    this.#unanswered = unanswered
    this.#scheduler = scheduler
    this.#intake = intake
    this.#admission = admission
    session.start()
  }

  ready(): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closedError(undefined))
    return this.#readyCalls.wait()
  }

  budgets(name: string, policy: Policy | ((id: string) => Policy)): Family {
    return this.#families.declare(name, policy)
  }

  budget(key: string, policy: Policy): Budget {
    return this.#families.single(key, policy)
  }

  counter(key: string): Counter {
    return this.#counters.handle(key)
  }

  async admitAll(needs: readonly Need[], options?: AdmitOptions): Promise<boolean> {
    return this.#admission.admitAll(this.#merge(needs), options)
  }

  async decideAll(needs: readonly Need[], options?: AdmitOptions): Promise<Decision> {
    return this.#admission.decideAll(this.#merge(needs), options)
  }

  stats(): Stats {
    let unsentUnits = 0
    for (const { lease } of this.#leases.all()) unsentUnits += lease.spentSince
    return statsOf(this.#metrics, {
      unsentUnits,
      budgets: this.#eviction.size,
      counters: this.#counters.size,
      leasedUnits: this.#leases.leasedUnits,
      epoch: this.#session.epoch,
    })
  }

  async flush(options: FlushOptions = {}): Promise<void> {
    const { returnLeases = false, deadlineMs = this.#settings.deadlineMs } = options
    assertDuration('options.deadlineMs', deadlineMs)
    if (this.#closing !== null) return this.#closing.promise
    const timedOut = (): VsaError =>
      timeoutError({ deadlineMs, applied: 'unknown', lastError: this.#session.lastError })
    const reply = new Deferred<void>(this.#settings.clock, deadlineMs, timedOut)
    this.#sendQueue.addFlush({ returnLeases, reply })
    this.#scheduler.flushNow()
    return reply.promise
  }

  close(options: CloseOptions = {}): Promise<void> {
    if (this.#closing !== null) return this.#closing.promise
    const { deadlineMs = CLOSE_DEADLINE_MS } = options
    assertDuration('options.deadlineMs', deadlineMs)
    const closing = new Deferred<void>(this.#settings.clock, deadlineMs, () => this.#giveUp(deadlineMs))
    this.#closing = closing
    this.#admission.close()
    this.#readyCalls.close()
    if (this.#isUntouched()) {
      this.#session.abandon()
      this.#scheduler.end()
      this.#closeStore()
    } else {
      this.#scheduler.close()
    }
    return closing.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #makeSession(settings: Settings): Session {
    return new Session(
      { ...settings, metrics: this.#metrics },
      {
        opened: () => this.#opened(),
        settled: (_batch, answer) => this.#exchange.settled(answer),
        fenced: (batch, answer) => this.#exchange.fenced(batch, answer),
        voided: (batch, row, detail) => this.#exchange.voided(batch, row, detail),
        ended: (_batch, answer) => this.#ended(answer),
        failed: (error) => this.#storeFailed(error),
      },
    )
  }

  #merge(needs: readonly Need[]): ReturnType<typeof mergeNeeds> {
    return mergeNeeds(needs, this.#settings.store.capabilities.batchMax, this.#slowPath)
  }

  #opened(): void {
    this.#readyCalls.joined()
    this.#exchange.opened()
  }

  #storeFailed(error: StoreError): void {
    this.#readyCalls.failed(error)
    // Permanent error: fail the waiting requests now.
    if (!error.transient) this.#waiting.resolveAll((request) => this.#unanswered.failed(request, error))
  }

  /** There is nothing to settle: no epoch, and nothing was asked or changed. */
  #isUntouched(): boolean {
    if (this.#session.epoch !== null || this.#leases.size > 0 || this.#metrics.waiters > 0) return false
    return this.#sendQueue.isEmpty && this.#intake.isEmpty
  }

  /** The deadline of `close` has passed. */
  #giveUp(deadlineMs: number): VsaError {
    const error = closeAmbiguousError(deadlineMs, this.#session.lastError)
    this.#session.abandon()
    this.#scheduler.end()
    this.#waiting.resolveAll((request) => this.#unanswered.closed(request))
    void this.#settings.store.close().catch(() => undefined)
    return error
  }

  /** The closing batch counts. */
  #ended(answer: AppliedAnswer | FencedAnswer): void {
    this.#exchange.closed(answer)
    this.#closeStore()
  }

  #closeStore(): void {
    const closing = this.#closing
    for (const flush of this.#sendQueue.takeFlushes()) flush.reply.resolve()
    this.#settings.store.close().then(
      () => closing?.resolve(),
      (error: unknown) => closing?.reject(error),
    )
  }
}

/** What gates call when their hot path must stop. */
function slowPathOf(
  admission: AdmissionController,
  { refunds, mints, peeks }: { readonly refunds: Refunds; readonly mints: Mints; readonly peeks: Peeks },
): SlowPath<Gate> {
  return {
    tryAdmit: (gate, units) => admission.tryAdmit(gate, units),
    admit: (gate, units, options) => admission.admit(gate, units, options),
    decide: (gate, units, options) => admission.decide(gate, units, options),
    refund: (gate, units, decision) => refunds.refund(gate, units, decision),
    mint: (gate, units, options) => mints.mint(gate, units, options),
    peek: (gate) => peeks.peek(gate),
  }
}
