import type { Decision } from '../../core/decision.ts'
import { assertUnits } from '../../core/units.ts'
import { checkOptions } from '../api/arguments.ts'
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
import type { Decisions } from './decisions.ts'
import { LocalAdmission } from './local-admission.ts'

/** No units were asked for (G2). */
const LOOKED: Verdict = { kind: 'admitted', rows: [] }
const NO_OPTIONS: AdmitOptions = {}

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
  #closed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
    const { settings, metrics, leases, intake } = parts
    this.#local = new LocalAdmission({ clock: settings.clock, metrics, leases, intake })
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
      assertUnits('units', units)
      const gate = handle.family.live(handle)
      this.#request([{ gate, units }], options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(verdict.kind !== 'denied')
      })
    })
  }

  decide(handle: Gate, units: number, options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => {
      assertUnits('units', units)
      const gate = handle.family.live(handle)
      this.#request([{ gate, units }], options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(this.#parts.decisions.of(verdict, { gate, units }))
      })
    })
  }

  /** All or none over distinct gates. */
  admitAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#request(needs, options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(verdict.kind !== 'denied')
      })
    })
  }

  decideAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const first = needs.find(({ units }) => units > 0) ?? needs[0]
      if (first === undefined) throw new RangeError('needs must name at least one budget')
      this.#request(needs, options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(this.#parts.decisions.of(verdict, first))
      })
    })
  }

  /** One request: answered at once from memory, or by the store. Throws for bad arguments before anything has changed. */
  #request(needs: readonly GateNeed[], options: AdmitOptions, resolve: (verdict: Verdict) => void): void {
    const { settings, session, metrics } = this.#parts
    const { deadlineMs, durable, signal } = checkOptions(options, settings.deadlineMs)
    const wanted = needs.every((need) => need.units > 0) ? needs : needs.filter((need) => need.units > 0)
    const [only] = wanted
    if (this.#closed) throw closedError(needs[0]?.gate.key)
    signal?.throwIfAborted()
    if (only === undefined) return resolve(LOOKED)
    const isDurable = durable ?? wanted.some(({ gate }) => gate.plan.durable)
    const verdict = session.hasJoined ? this.#local.decide(wanted, isDurable) : undefined
    if (verdict?.kind === 'denied') metrics.countDenial(unitsOf(wanted))
    if (verdict !== undefined) return resolve(verdict)
    if (metrics.waiters >= settings.waitersMax) throw tooManyWaitersError(only.gate.key, settings.waitersMax)
    const request: PendingRequest = {
      needs: wanted,
      durable: isDurable,
      deadlineMs,
      deadlineAtMs: settings.clock.monotonic() + deadlineMs,
      resolve: signal === undefined ? resolve : untilAborted(signal, resolve, () => this.#abort(request, signal)),
      state: 'queued',
      refused: false,
      unaccounted: false,
    }
    this.#enqueue(request)
  }

  /** O9: a durable request that the lease covers spends from it now and waits for the acknowledgement; any other is a take. */
  #enqueue(request: PendingRequest): void {
    const { session, leases, intake, waiting, scheduler } = this.#parts
    const [need, second] = request.needs
    const isSingle = second === undefined && need !== undefined
    if (isSingle && session.hasJoined) {
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

  #abort(request: PendingRequest, signal: AbortSignal): void {
    this.#parts.waiting.resolve(request, { kind: 'failed', error: signal.reason })
  }
}

/** Resolves once, and stops listening to the signal. */
function untilAborted(
  signal: AbortSignal,
  resolve: (verdict: Verdict) => void,
  abort: () => void,
): (verdict: Verdict) => void {
  signal.addEventListener('abort', abort, { once: true })
  return (verdict) => {
    signal.removeEventListener('abort', abort)
    resolve(verdict)
  }
}
