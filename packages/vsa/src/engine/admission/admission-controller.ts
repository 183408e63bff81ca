import type { Decision } from '../../core/decision.ts'
import type { Plan } from '../../core/plan.ts'
import { assertUnits } from '../../core/units.ts'
import { type CheckedOptions, checkOptions } from '../api/arguments.ts'
import { closedError, durableOnlyError, tooManyWaitersError } from '../api/errors.ts'
import type { AdmitOptions } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import { type GateNeed, type PendingRequest, unitsOf, type Verdict } from '../requests/pending-request.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { RequestTable } from '../requests/row-requests.ts'
import type { Session } from '../session/session.ts'
import type { StoreReads } from '../session/store-reads.ts'
import { AdmitRequest, type CallerRequest, DecideRequest } from './caller-request.ts'
import type { Decisions } from './decisions.ts'
import { type AfterRead, ExhaustedRows } from './exhausted-rows.ts'
import { isCold, LocalAdmission } from './local-admission.ts'

/** No units were asked for (G2). */
const LOOKED: Verdict = { kind: 'admitted', row: null }
const NO_OPTIONS: AdmitOptions = {}

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
  /** Policies whose `tryAdmit` was asked for more than a lease may have. */
  readonly #warned = new WeakSet<Plan>()
  readonly #defaults: CheckedOptions
  #lastNeeds: readonly GateNeed[] = []
  #closed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
    const { settings, metrics, leases, requests, intake } = parts
    const { clock, flushIntervalMs } = settings
    this.#local = new LocalAdmission({ clock, flushIntervalMs, metrics, leases, requests, intake })
    this.#exhausted = new ExhaustedRows(parts, (request) => this.#resume(request))
    this.#defaults = checkOptions(NO_OPTIONS, settings.deadlineMs)
  }

  /** O13: from now on admissions and mints are refused. */
  close(): void {
    this.#closed = true
    this.#exhausted.close()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  tryAdmit(handle: Gate, units: number): boolean {
    assertUnits('units', units)
    const gate = handle.family.live(handle)
    if (gate !== handle) return gate.tryAdmit(units)
    if (this.#closed) throw closedError(gate.key)
    if (gate.plan.durable) throw durableOnlyError(gate.key)
    if (units === 0) return true
    const { session, intake, leases, metrics } = this.#parts
    if (units > gate.plan.atRisk) {
      this.#warnOfCost(gate, units)
    } else if (!session.hasJoined) {
      intake.deferUntilJoined(gate, 0)
    } else {
      const row = leases.current(gate)
      if (this.#local.spend(row, units)) return true
      this.#seekLease(row, units)
    }
    metrics.countDenial(units)
    return false
  }

  admit(handle: Gate, units: number, options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const needs = this.#needsOf(handle, units, options)
      this.#request(new AdmitRequest(wantedOf(needs), resolve, reject), needs[0], options)
    })
  }

  decide(handle: Gate, units: number, options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) =>
      this.#decide(this.#needsOf(handle, units, options), options, { resolve, reject }),
    )
  }

  /** All or none over distinct gates. */
  admitAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#request(new AdmitRequest(wantedOf(needs), resolve, reject), needs[0], options)
    })
  }

  decideAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => this.#decide(needs, options, { resolve, reject }))
  }

  #decide(needs: readonly GateNeed[], options: AdmitOptions, caller: DecisionCaller): void {
    const asked = needs.find(({ units }) => units > 0) ?? needs[0]
    if (asked === undefined) throw new RangeError('needs must name at least one budget')
    const { decisions } = this.#parts
    this.#request(new DecideRequest(wantedOf(needs), { decisions, asked, ...caller }), asked, options)
  }

  /** @throws TypeError, RangeError that name the option; before an evicted gate is put back for the call */
  check(options: AdmitOptions | undefined): void {
    if (options !== undefined && options !== NO_OPTIONS) checkOptions(options, this.#parts.settings.deadlineMs)
  }

  /** Nothing is made for a caller that asks for the same as the one before. */
  #needsOf(handle: Gate, units: number, options: AdmitOptions): readonly GateNeed[] {
    assertUnits('units', units)
    this.check(options)
    const gate = handle.family.live(handle)
    const last = this.#lastNeeds[0]
    if (last?.gate !== gate || last.units !== units) this.#lastNeeds = [{ gate, units }]
    return this.#lastNeeds
  }

  /**
   * One request: answered at once from memory, or by the store. Throws for bad arguments before anything has changed.
   * @param asked the first need, also where no units of it are asked for
   */
  #request(request: CallerRequest, asked: GateNeed | undefined, options: AdmitOptions): void {
    const { settings, session, metrics } = this.#parts
    const { deadlineMs, durable, signal } =
      options === NO_OPTIONS ? this.#defaults : checkOptions(options, settings.deadlineMs)
    if (this.#closed) throw closedError(asked?.gate.key)
    signal?.throwIfAborted()
    const { needs } = request
    const [only] = needs
    if (only === undefined) return request.tell(LOOKED)
    request.durable = durable ?? needs.some(({ gate }) => gate.plan.durable)
    request.deadlineMs = deadlineMs
    const local = session.hasJoined ? this.#local.decide(needs, request.durable) : undefined
    const verdict = local === 'read' ? this.#denyUntilRead(needs) : local
    if (verdict?.kind === 'denied') metrics.countDenial(unitsOf(needs))
    if (verdict !== undefined) return request.tell(verdict)
    if (metrics.waiting >= settings.waitersMax) throw tooManyWaitersError(only.gate.key, settings.waitersMax)
    if (signal !== undefined) this.#listen(request, signal)
    if (local === 'read' && this.#exhausted.canRead) this.#read(request)
    else this.#enqueue(request)
  }

  /** L4: no lease can ever cover the units. It is reported once for each policy. */
  #warnOfCost({ key, plan }: Gate, units: number): void {
    const { atRisk } = plan
    if (atRisk === 0 || this.#warned.has(plan)) return
    this.#warned.add(plan)
    this.#parts.settings.emit({ type: 'cost_above_lease', key, units, atRisk })
  }

  /** `tryAdmit` found too little: a larger lease is asked for, unless the row was seen not to have one. */
  #seekLease(row: LeasedRow, units: number): void {
    const knowledge = this.#local.knowledgeOf(row, units, row.lease.leasable)
    if (knowledge === 'unknown' && !row.isBurned) return this.#parts.intake.askLease(row, units)
    this.#local.noteDenial(row)
    if (knowledge !== 'stale' || !this.#exhausted.canRead) return
    row.schedule.ask(units)
    this.#exhausted.add(row)
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
    if (verdict === undefined) return 'ask'
    if (verdict === 'read')
      return needs.some(({ gate }) => leases.current(gate).schedule.denials?.isToRead === true) ? 'read' : 'ask'
    if (verdict.kind === 'denied') metrics.countDenial(unitsOf(needs))
    waiting.resolve(request, verdict)
    return 'resolved'
  }

  /** O9: a durable request that the lease covers spends from it now and waits for the acknowledgement; any other is a take. */
  #enqueue(request: PendingRequest): void {
    const { session, leases, intake, waiting, scheduler } = this.#parts
    const [need, second] = request.needs
    const isSingle = second === undefined && need !== undefined
    if (isSingle && session.hasJoined && !isCold(need.gate)) {
      const row = leases.current(need.gate)
      if (request.durable && this.#local.spend(row, need.units)) {
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
function wantedOf(needs: readonly GateNeed[]): readonly GateNeed[] {
  return needs.every(({ units }) => units > 0) ? needs : needs.filter(({ units }) => units > 0)
}
