import type { Plan } from '../../core/plan.ts'
import { assertUnits } from '../../core/units.ts'
import { closedError, durableOnlyError } from '../api/errors.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Session } from '../session/session.ts'
import type { ExhaustedRows } from './exhausted-rows.ts'
import type { LocalAdmission } from './local-admission.ts'

export interface TryAdmissionParts {
  readonly settings: Settings
  readonly metrics: Metrics
  readonly session: Session
  readonly leases: LeaseTable
  readonly intake: ChangeIntake
}

/** The slow path of `tryAdmit`: it never waits, and asks for a lease where that may help the next call. */
export class TryAdmission {
  readonly #parts: TryAdmissionParts
  readonly #local: LocalAdmission
  readonly #exhausted: ExhaustedRows
  /** Policies whose `tryAdmit` was asked for more than a lease may have. */
  readonly #warned = new WeakSet<Plan>()
  #isClosed = false

  constructor(parts: TryAdmissionParts, local: LocalAdmission, exhausted: ExhaustedRows) {
    this.#parts = parts
    this.#local = local
    this.#exhausted = exhausted
  }

  /** O13 */
  close(): void {
    this.#isClosed = true
  }

  tryAdmit(handle: Gate, units: number): boolean {
    assertUnits('units', units)
    const gate = handle.family.live(handle)
    if (gate !== handle) return gate.tryAdmit(units)
    if (this.#isClosed) throw closedError(gate.key)
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
}
