import type { Decision } from '../../core/decision.ts'
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
import type { Session } from '../session/session.ts'
import { AdmitRequest, type CallerRequest, DecideRequest } from './caller-request.ts'
import type { Decisions } from './decisions.ts'
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
  readonly scheduler: FlushScheduler
  readonly intake: ChangeIntake
  readonly decisions: Decisions
}

/** The slow path of admissions: checks the arguments, spends, denies from memory, or lets the request wait for the store. */
export class AdmissionController {
  readonly #parts: AdmissionParts
  readonly #local: LocalAdmission
  readonly #defaults: CheckedOptions
  #lastNeeds: readonly GateNeed[] = []
  #closed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
    const { settings, metrics, leases, intake } = parts
    this.#local = new LocalAdmission({ clock: settings.clock, metrics, leases, intake })
    this.#defaults = checkOptions(NO_OPTIONS, settings.deadlineMs)
  }

  /** O13: from now on admissions and mints are refused. */
  close(): void {
    this.#closed = true
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
    if (!session.hasJoined) {
      intake.deferUntilJoined(gate, 0)
    } else {
      const row = leases.current(gate)
      if (this.#local.spend(row, units)) return true
      if (!this.#local.isKnownToLack(row, units)) intake.askLease(row, units)
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
    const verdict = session.hasJoined ? this.#local.decide(needs, request.durable) : undefined
    if (verdict?.kind === 'denied') metrics.countDenial(unitsOf(needs))
    if (verdict !== undefined) return request.tell(verdict)
    if (metrics.waiters >= settings.waitersMax) throw tooManyWaitersError(only.gate.key, settings.waitersMax)
    if (signal !== undefined) this.#listen(request, signal)
    this.#enqueue(request)
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
    const abort = (): void => this.#parts.waiting.resolve(request, { kind: 'failed', error: signal.reason })
    signal.addEventListener('abort', abort, { once: true })
    request.unlisten = () => signal.removeEventListener('abort', abort)
  }
}

/** Needs of no units are admitted without a look (G2). */
function wantedOf(needs: readonly GateNeed[]): readonly GateNeed[] {
  return needs.every(({ units }) => units > 0) ? needs : needs.filter(({ units }) => units > 0)
}
