import type { Decision } from '../../core/decision.ts'
import { assertUnits } from '../../core/units.ts'
import { type CheckedOptions, checkOptions } from '../api/arguments.ts'
import { closedError, tooManyWaitersError } from '../api/errors.ts'
import type { AdmitOptions } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import { type GateNeed, type PendingRequest, RequestTerms, unitsOf, type Verdict } from '../requests/pending-request.ts'
import { afterTrial } from '../requests/shadow.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { RequestTable } from '../requests/row-requests.ts'
import type { Session } from '../session/session.ts'
import type { StoreReads } from '../session/store-reads.ts'
import { AdmitGroup } from './admit-group.ts'
import { AdmitRequest, type CallerRequest, DecideRequest } from './caller-request.ts'
import type { Decisions } from './decisions.ts'
import { type AfterRead, ExhaustedRows } from './exhausted-rows.ts'
import { isCold, LocalAdmission } from './local-admission.ts'
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
}

/** The slow path of admissions: checks the arguments, spends, denies from memory, or lets the request wait for the store. */
export class AdmissionController {
  readonly #parts: AdmissionParts
  readonly #local: LocalAdmission
  readonly #exhausted: ExhaustedRows
  /** What never waits. */
  readonly tries: TryAdmission
  readonly #defaults: CheckedOptions
  /** Of the last call for one budget. */
  #lastTerms: RequestTerms | null = null
  #closed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
    const { settings, metrics, leases, requests, intake } = parts
    const { clock, flushIntervalMs } = settings
    this.#local = new LocalAdmission({ clock, flushIntervalMs, metrics, leases, requests, intake })
    this.#exhausted = new ExhaustedRows(parts, (request) => this.#resume(request))
    this.tries = new TryAdmission(parts, this.#local, this.#exhausted)
    this.#defaults = checkOptions(NO_OPTIONS, settings.deadlineMs)
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
    if (options === NO_OPTIONS) {
      const group = this.#groupFor(handle, units)
      if (group !== null) return group.join()
    }
    try {
      assertUnits('units', units)
      const { durable, deadlineMs, signal } = this.#checked(options)
      const gate = handle.family.live(handle)
      return this.#admit(this.#termsOf(gate, units, durable, deadlineMs), gate, signal)
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
      const { durable, deadlineMs, signal } = this.#checked(options)
      return this.#admit(termsFor(needs, durable, deadlineMs), needs[0]?.gate, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  decideAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => this.#decide(needs, options, { resolve, reject }))
  }

  #admit(terms: RequestTerms, asked: Gate | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const course = this.#courseOf(terms, asked, signal)
    if (course === 'exchange' && signal === undefined) {
      const joined = this.#join(terms)
      if (joined !== null) return joined
    }
    return new Promise((resolve, reject) => this.#start(new AdmitRequest(terms, resolve, reject), course, signal))
  }

  #decide(needs: readonly GateNeed[], options: AdmitOptions, caller: DecisionCaller): void {
    const asked = needs.find(({ units }) => units > 0) ?? needs[0]
    if (asked === undefined) throw new RangeError('needs must name at least one budget')
    const { decisions } = this.#parts
    const { durable, deadlineMs, signal } = this.#checked(options)
    const terms = termsFor(needs, durable, deadlineMs)
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

  /** Nothing is made for a caller that asks for the same as the one before, in the same turn. */
  #termsOf(gate: Gate, units: number, durable: boolean | undefined, deadlineMs: number): RequestTerms {
    const isDurable = durable ?? gate.plan.durable
    const last = this.#lastTerms
    if (
      last !== null &&
      last.deadlineAtMs === Infinity &&
      last.durable === isDurable &&
      last.deadlineMs === deadlineMs
    ) {
      const need = last.needs[0]
      if (need?.gate === gate && need.units === units) return last
    }
    const terms = termsFor([{ gate, units }], isDurable, deadlineMs)
    this.#lastTerms = terms
    return terms
  }

  /**
   * Decides from memory where that can be. Throws before anything has changed.
   * @param asked the first budget, also where no units of it are asked for
   */
  #courseOf({ needs, durable }: RequestTerms, asked: Gate | undefined, signal: AbortSignal | undefined): Course {
    const { settings, session, metrics } = this.#parts
    if (this.#closed) throw closedError(asked?.key)
    signal?.throwIfAborted()
    const [only] = needs
    if (only === undefined) return LOOKED
    const local = session.hasJoined ? this.#local.decide(needs, durable) : undefined
    const course = (local === 'read' ? this.#denyUntilRead(needs) : local) ?? 'exchange'
    if (typeof course !== 'string') {
      if (course.kind === 'denied') metrics.countDenial(unitsOf(needs))
      return course
    }
    if (metrics.waiting >= settings.waitersMax)
      return { kind: 'failed', error: tooManyWaitersError(only.gate.key, settings.waitersMax) }
    return local === 'read' && this.#exhausted.canRead ? 'read' : course
  }

  #start(request: CallerRequest, course: Course, signal: AbortSignal | undefined): void {
    if (typeof course !== 'string') return request.tell(afterTrial(request, course, this.#parts.metrics))
    if (signal !== undefined) this.#listen(request, signal)
    if (course === 'read') this.#read(request)
    else this.#enqueue(request, course === 'spend')
  }

  /** The group that the call before joined, where this one asks for the same: of a budget that leases nothing, all of them go to the store. */
  #groupFor(gate: Gate, units: number): AdmitGroup | null {
    const { waiting, metrics, settings } = this.#parts
    const { last } = waiting
    if (!(last instanceof AdmitGroup) || !last.isFor(gate, units, this.#defaults.deadlineMs)) return null
    if (gate.plan.atRisk > 0 || !gate.plan.durable || gate.isEvicted) return null
    if (this.#closed || metrics.waiting >= settings.waitersMax) return null
    waiting.joined()
    return last
  }

  /** Joins the last request of the queue, where that is a group of equal ones, or begins one behind an equal request. Null: it stays alone. */
  #join(terms: RequestTerms): Promise<boolean> | null {
    const { waiting, scheduler } = this.#parts
    const { last } = waiting
    if (last?.terms !== terms || !terms.durable) return null
    scheduler.wake()
    if (last instanceof AdmitGroup && last.isOpen) {
      waiting.joined()
      return last.join()
    }
    const group = new AdmitGroup(terms)
    const promise = group.join()
    waiting.add(group)
    return promise
  }

  /** O12: what is known of the rows counts until the next read of the interval, which shows them. */
  #denyUntilRead(needs: readonly GateNeed[]): Verdict | undefined {
    if (!this.#exhausted.canRead) return undefined
    const stale = this.#staleOf(needs)
    const [first] = stale
    if (first === undefined || !stale.every(([row]) => this.#exhausted.countsUntilRead(row))) return undefined
    for (const [row] of stale) this.#exhausted.add(row)
    return this.#local.deny(first[1], first[0])
  }

  #read(request: PendingRequest): void {
    const { waiting, scheduler, settings } = this.#parts
    waiting.read(request)
    scheduler.wake()
    const deadlineAtMs = settings.clock.monotonic() + request.deadlineMs
    for (const [row] of this.#staleOf(request.needs)) this.#exhausted.add(row, deadlineAtMs)
  }

  /** Rows that are to be read before they are asked, each with its need. */
  #staleOf(needs: readonly GateNeed[]): readonly (readonly [row: LeasedRow, need: GateNeed])[] {
    return needs
      .map((need) => [this.#parts.leases.current(need.gate), need] as const)
      .filter(([row, { units }]) => row.lease.left < units && this.#local.knowledgeOf(row, units) === 'stale')
  }

  /** The rows of the request have been read, or an exchange has shown them. */
  #resume(request: PendingRequest): AfterRead {
    const { leases, metrics, waiting } = this.#parts
    const { needs, durable } = request
    // The planner finds the gate that the key has now.
    if (needs.some(({ gate }) => gate.isEvicted)) return 'ask'
    const verdict = this.#local.decide(needs, durable)
    if (verdict === undefined || verdict === 'spend') return 'ask'
    if (verdict === 'read')
      return needs.some(({ gate }) => leases.current(gate).schedule.denials?.isToRead === true) ? 'read' : 'ask'
    if (verdict.kind === 'denied') metrics.countDenial(unitsOf(needs))
    waiting.resolve(request, verdict)
    return 'resolved'
  }

  /** @param isCovered O9: a durable request that the lease covers spends from it now and waits for the acknowledgement; any other is a take */
  #enqueue(request: PendingRequest, isCovered: boolean): void {
    const { session, leases, intake, waiting, scheduler } = this.#parts
    const [need, second] = request.needs
    const isSingle = second === undefined && need !== undefined
    if (isSingle && session.hasJoined && !isCold(need.gate)) {
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

/** Needs of no units are admitted without a look (G2). */
function termsFor(needs: readonly GateNeed[], durable: boolean | undefined, deadlineMs: number): RequestTerms {
  const wanted = needs.every(({ units }) => units > 0) ? needs : needs.filter(({ units }) => units > 0)
  return new RequestTerms(wanted, durable ?? wanted.some(({ gate }) => gate.plan.durable), deadlineMs)
}
