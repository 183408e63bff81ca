import type { Decision } from '../../core/decision.ts'
import { assertUnits } from '../../core/units.ts'
import { type CheckedOptions, checkOptions } from '../api/arguments.ts'
import { closedError, tooManyWaitersError } from '../api/errors.ts'
import type { AdmitOptions } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { GateNeed, PendingRequest, RequestTerms, Verdict, Waterfall } from '../requests/pending-request.ts'
import { afterTrial } from '../requests/shadow.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { CounterState } from '../budget/counter-state.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { RequestTable } from '../requests/row-requests.ts'
import type { Session } from '../session/session.ts'
import type { StoreReads } from '../session/store-reads.ts'
import { AdmitRequest, type CallerRequest, DecideRequest, ReserveRequest } from './caller-request.ts'
import type { Decisions } from './decisions.ts'
import { EqualCalls } from './equal-calls.ts'
import type { Sources } from './needs.ts'
import { type AfterRead, ExhaustedRows } from './exhausted-rows.ts'
import { isCold, LocalAdmission } from './local-admission.ts'
import { formOf, termsFor } from './request-terms.ts'
import { TryAdmission } from './try-admission.ts'

/** No units were asked for (G2). */
const LOOKED: Verdict = { kind: 'admitted', row: null }
const NO_OPTIONS: AdmitOptions = {}

/**
 * What becomes of a request: it has its verdict; its rows are read first; it has its units and waits for them to be durable (`spend`); or it waits
 * for an exchange.
 */
type Course = Verdict | 'read' | 'spend' | 'exchange'

interface DecisionCaller {
  readonly resolve: (decision: Decision) => void
  readonly reject: (error: unknown) => void
}

export interface AdmissionParts {
  readonly settings: Settings
  readonly metrics: Metrics
  readonly session: Session
  readonly leases: LeaseTable
  readonly waiting: WaitQueue
  readonly requests: RequestTable
  readonly reads: StoreReads
  readonly scheduler: FlushScheduler
  readonly intake: ChangeIntake
  readonly decisions: Decisions
  /** The budget with this key; undefined where this process knows of none. */
  readonly find: (key: string) => Gate | undefined
  readonly counterOf: (key: string) => CounterState
  /** Adds to a counter: what a waterfall takes beyond its budgets. */
  readonly book: (overage: CounterState, units: number) => void
}

/** The slow path of admissions: checks the arguments, spends, denies from memory, or lets the request wait for the store. */
export class AdmissionController {
  readonly #parts: AdmissionParts
  readonly #local: LocalAdmission
  readonly #exhausted: ExhaustedRows
  /** What never waits. */
  readonly tries: TryAdmission
  readonly #defaults: CheckedOptions
  readonly #equal: EqualCalls
  #closed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
    const { settings, leases, requests, intake } = parts
    const { clock, flushIntervalMs } = settings
    const book = parts.book
    this.#local = new LocalAdmission({ clock, flushIntervalMs, leases, requests, intake, book })
    this.#exhausted = new ExhaustedRows(parts, (request) => this.#resume(request))
    this.tries = new TryAdmission(parts, this.#local, this.#exhausted)
    this.#defaults = checkOptions(NO_OPTIONS, settings.deadlineMs)
    this.#equal = new EqualCalls(parts)
  }

  /** O13: from now on admissions and mints are refused. */
  close(): void {
    this.#closed = true
    this.tries.close()
    this.#exhausted.close()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  admit(handle: Gate, units: number, options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    if (options === NO_OPTIONS && !this.#closed) {
      const group = this.#equal.groupFor(handle, units)
      if (group !== null) return group.join()
    }
    try {
      assertUnits('units', units)
      const { durable, deadlineMs, signal, remember } = this.#checked(options)
      const gate = handle.family.live(handle)
      const terms =
        remember === undefined
          ? this.#equal.termsOf(gate, units, durable, deadlineMs)
          : termsFor([{ gate, units }], durable, deadlineMs, { remember })
      return this.#admit(terms, gate, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  decide(handle: Gate, units: number, options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => {
      assertUnits('units', units)
      this.check(options)
      this.#decide([{ gate: handle.family.live(handle), units }], options, { resolve, reject })
    })
  }

  /** All or none over distinct gates. */
  admitAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    try {
      const { durable, deadlineMs, signal, remember } = this.#checked(options)
      return this.#admit(termsFor(needs, durable, deadlineMs, formOf(remember)), needs[0]?.gate, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  decideAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => this.#decide(needs, options, { resolve, reject }))
  }

  /** V1: as much as each source has, in order, all or none over their sum. */
  admitFirst({ needs, waterfall }: Sources, options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    try {
      const { durable, deadlineMs, signal, remember } = this.#checked(options)
      return this.#admit(termsFor(needs, durable, deadlineMs, formOf(remember, waterfall)), needs[0]?.gate, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  decideFirst({ needs, waterfall }: Sources, options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => this.#decide(needs, options, { resolve, reject }, waterfall))
  }

  /** As `decide`, for a reservation that the store keeps. @param checked with `remember` */
  reserve(needs: readonly GateNeed[], checked: CheckedOptions, waterfall?: Waterfall): Promise<Verdict> {
    const { durable, deadlineMs, signal, remember } = checked
    return new Promise((resolve, reject) => {
      const terms = termsFor(needs, durable, deadlineMs, formOf(remember, waterfall))
      const course = this.#courseOf(terms, needs[0]?.gate, signal)
      this.#start(new ReserveRequest(terms, resolve, reject), course, signal)
    })
  }

  #admit(terms: RequestTerms, asked: Gate | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const course = this.#courseOf(terms, asked, signal)
    if (course === 'exchange' && signal === undefined) {
      const joined = this.#equal.join(terms)
      if (joined !== null) return joined
    }
    return new Promise((resolve, reject) => this.#start(new AdmitRequest(terms, resolve, reject), course, signal))
  }

  #decide(needs: readonly GateNeed[], options: AdmitOptions, caller: DecisionCaller, waterfall?: Waterfall): void {
    const asked = needs.find(({ units }) => units > 0) ?? needs[0]
    if (asked === undefined) throw new RangeError('needs must name at least one budget')
    const { decisions } = this.#parts
    const { durable, deadlineMs, signal, remember } = this.#checked(options)
    const terms = termsFor(needs, durable, deadlineMs, formOf(remember, waterfall))
    const course = this.#courseOf(terms, asked.gate, signal)
    this.#start(new DecideRequest(terms, { decisions, asked, ...caller }), course, signal)
  }

  /** @throws TypeError, RangeError that name the option; before an evicted gate is put back for the call */
  check(options: AdmitOptions | undefined): void {
    if (options !== undefined && options !== NO_OPTIONS) checkOptions(options, this.#parts.settings.deadlineMs)
  }

  #checked(options: AdmitOptions): CheckedOptions {
    return options === NO_OPTIONS ? this.#defaults : checkOptions(options, this.#parts.settings.deadlineMs)
  }

  /**
   * Decides from memory where that can be. Throws before anything has changed.
   * @param asked the first budget, also where no units of it are asked for
   */
  #courseOf(terms: RequestTerms, asked: Gate | undefined, signal: AbortSignal | undefined): Course {
    const { needs, form } = terms
    const { settings, session, metrics } = this.#parts
    if (this.#closed) throw closedError(asked?.key)
    signal?.throwIfAborted()
    const [only] = needs
    if (only === undefined) return LOOKED
    // R1: what was granted under the id before is known to the store alone, also where nothing is left now.
    const local = session.hasJoined && form.remember === undefined ? this.#local.decide(terms) : undefined
    const course = (local === 'read' ? this.#untilRead(terms) : local) ?? 'exchange'
    if (typeof course !== 'string') {
      if (course.kind === 'denied') course.gate.metrics.countDenial(terms.units)
      return course
    }
    if (metrics.waiting >= settings.waitersMax)
      return { kind: 'failed', error: tooManyWaitersError(only.gate.key, settings.waitersMax) }
    return course
  }

  #start(request: CallerRequest, course: Course, signal: AbortSignal | undefined): void {
    if (typeof course !== 'string') return request.tell(afterTrial(request, course))
    if (signal !== undefined) this.#listen(request, signal)
    if (course === 'read') this.#read(request)
    else this.#enqueue(request, course === 'spend')
  }

  /** O12: where it may, what is known of the rows counts until the next read of the interval, which shows them. Undefined: an exchange decides. */
  #untilRead(terms: RequestTerms): Verdict | 'read' | undefined {
    if (!this.#exhausted.canRead) return undefined
    const stale = this.#local.staleOf(terms)
    const [first] = stale
    if (first === undefined || !stale.every(([row]) => this.#exhausted.countsUntilRead(row))) return 'read'
    for (const [row] of stale) this.#exhausted.add(row)
    return this.#local.decideUntilRead(terms, first)
  }

  #read(request: PendingRequest): void {
    const { waiting, scheduler, settings } = this.#parts
    waiting.read(request)
    scheduler.wake()
    const deadlineAtMs = settings.clock.monotonic() + request.deadlineMs
    for (const [row] of this.#local.staleOf(request.terms)) this.#exhausted.add(row, deadlineAtMs)
  }

  /** The rows of the request have been read, or an exchange has shown them. */
  #resume(request: PendingRequest): AfterRead {
    const { leases, waiting } = this.#parts
    const { needs, units } = request
    // The planner finds the gate that the key has now.
    if (needs.some(({ gate }) => gate.isEvicted)) return 'ask'
    const verdict = this.#local.decide(request.terms)
    if (verdict === undefined || verdict === 'spend') return 'ask'
    if (verdict === 'read')
      return needs.some(({ gate }) => leases.current(gate).schedule.denials?.isToRead === true) ? 'read' : 'ask'
    if (verdict.kind === 'denied') verdict.gate.metrics.countDenial(units)
    waiting.resolve(request, verdict)
    return 'resolved'
  }

  /** @param isCovered O9: a durable request that the lease covers spends from it now and waits for the acknowledgement; any other is a take */
  #enqueue(request: PendingRequest, isCovered: boolean): void {
    const { session, leases, intake, waiting, scheduler } = this.#parts
    const [need, second] = request.needs
    const isSingle = second === undefined && need !== undefined
    if (isSingle && request.form.remember === undefined && session.hasJoined && !isCold(need.gate)) {
      const row = leases.current(need.gate)
      if (isCovered && this.#local.spend(row, need.units)) {
        intake.confirm(row, request)
        return
      }
      row.isAwaited ||= row.lease.sent !== null
    }
    waiting.add(request)
    scheduler.wake()
  }

  /** An abort fails the request. */
  #listen(request: CallerRequest, signal: AbortSignal): void {
    const abort = (): void => this.#parts.waiting.abort(request, signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    request.unlisten = () => signal.removeEventListener('abort', abort)
  }
}
