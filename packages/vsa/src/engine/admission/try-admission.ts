import type { Plan } from '../../core/plan.ts'
import { assertUnits } from '../../core/units.ts'
import { closedError, durableOnlyError } from '../api/errors.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { Charge } from '../budget/local-reservation.ts'
import { type GateNeed, unitsOf } from '../requests/pending-request.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { Session } from '../session/session.ts'
import type { ExhaustedRows } from './exhausted-rows.ts'
import type { LocalAdmission } from './local-admission.ts'

export interface TryAdmissionParts {
  readonly settings: Settings
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

  /** P7: with a policy on trial, what was not spent is admitted. */
  tryAdmit(handle: Gate, units: number): boolean {
    if (this.trySpend(handle, units)) return true
    if (!handle.plan.shadow) {
      handle.metrics.denied.lease += 1
      return false
    }
    handle.metrics.countShadow(units, 1, true)
    return true
  }

  trySpend(handle: Gate, units: number): boolean {
    assertUnits('units', units)
    const gate = handle.family.live(handle)
    if (this.#isClosed) throw closedError(gate.key)
    if (gate.plan.durable) throw durableOnlyError(gate.key)
    if (units === 0) return true
    const row = this.#rowFor(gate, units)
    if (row !== null && this.#local.spend(row, units)) return true
    if (row !== null) this.#seekLease(row, units)
    handle.metrics.countDenial(units)
    return false
  }

  /** A4: all or none over distinct gates. P7: those on trial never refuse, and are tried by themselves. */
  tryAdmitAll(needs: readonly GateNeed[]): boolean {
    if (this.#isClosed) throw closedError(needs[0]?.gate.key)
    const durable = needs.find(({ gate }) => gate.plan.durable)
    if (durable !== undefined) throw durableOnlyError(durable.gate.key)
    const onTrial = needs.filter(({ gate }) => gate.plan.shadow)
    const others = needs.filter(({ gate, units }) => units > 0 && !gate.plan.shadow)
    // Each row once: a period may end between two looks at the clock.
    const rows: LeasedRow[] = []
    for (const { gate, units } of others) {
      const row = this.#rowFor(gate, units)
      if (row === null || row.lease.spendable < units) {
        if (row !== null) this.#seekLease(row, units)
        gate.metrics.countDenial(unitsOf(others))
        gate.metrics.denied.lease += 1
        return false
      }
      rows.push(row)
    }
    for (const [index, row] of rows.entries()) this.#local.spend(row, others[index]?.units ?? 0)
    for (const { gate, units } of onTrial) this.tryAdmit(gate, units)
    return true
  }

  /** As much of the units as the lease of a budget that leases has now; null where that is nothing. */
  spendLease(handle: Gate, units: number): Charge | null {
    const gate = handle.family.live(handle)
    if (gate.plan.durable || !this.#parts.session.hasJoined) return null
    const row = this.#parts.leases.current(gate)
    const there = Math.min(units, row.lease.spendable)
    return there > 0 && this.#local.spend(row, there) ? { units: there, window: row.window } : null
  }

  /** What can be taken at once: the pool as of the last answer, also of a budget that leases nothing. */
  poolOf(handle: Gate): number {
    const { session, leases } = this.#parts
    return session.hasJoined ? (leases.current(handle.family.live(handle)).figures?.pool ?? 0) : 0
  }

  /** The row whose lease may cover the units. Null: none can, or none does yet. */
  #rowFor(gate: Gate, units: number): LeasedRow | null {
    const { session, intake, leases } = this.#parts
    if (units > gate.plan.atRisk) {
      this.#warnOfCost(gate, units)
      return null
    }
    if (!session.hasJoined) {
      intake.deferUntilJoined(gate, 0)
      return null
    }
    return leases.current(gate)
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
