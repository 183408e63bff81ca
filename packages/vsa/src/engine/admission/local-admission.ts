import type { Clock } from '../../core/clock.ts'
import { quarantinedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { GateNeed, Verdict } from '../requests/pending-request.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** What can be decided from memory: admissions that leases cover, and denials of units that are known to be gone. */
export class LocalAdmission {
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #leases: LeaseTable
  readonly #intake: ChangeIntake

  constructor(parts: {
    readonly clock: Clock
    readonly metrics: Metrics
    readonly leases: LeaseTable
    readonly intake: ChangeIntake
  }) {
    this.#clock = parts.clock
    this.#metrics = parts.metrics
    this.#leases = parts.leases
    this.#intake = parts.intake
  }

  /** All or none. Undefined where only the store can tell. */
  decide(needs: readonly GateNeed[], isDurable: boolean): Verdict | undefined {
    const [need, second] = needs
    return need !== undefined && second === undefined
      ? this.#decideOne(need, isDurable)
      : this.#decideAll(needs, isDurable)
  }

  #decideOne(need: GateNeed, isDurable: boolean): Verdict | undefined {
    if (isCold(need.gate)) return undefined
    const row = this.#leases.current(need.gate)
    if (row.isQuarantined) return { kind: 'failed', error: quarantinedError(row.key) }
    if (row.lease.left < need.units)
      return this.isKnownToLack(row, need.units) ? { kind: 'denied', ...need, row } : undefined
    if (isDurable) return undefined
    this.spend(row, need.units)
    return { kind: 'admitted', row }
  }

  #decideAll(needs: readonly GateNeed[], isDurable: boolean): Verdict | undefined {
    const rows = needs.map(({ gate }) => this.#leases.current(gate))
    let isCovered = true
    for (let at = 0; at < needs.length; at += 1) {
      const [row, need] = [rows[at], needs[at]]
      if (row === undefined || need === undefined) continue
      if (row.isQuarantined) return { kind: 'failed', error: quarantinedError(row.key) }
      if (row.lease.left >= need.units) continue
      if (this.isKnownToLack(row, need.units)) return { kind: 'denied', ...need, row }
      isCovered = false
    }
    if (isDurable || !isCovered) return undefined
    for (const [index, row] of rows.entries()) this.spend(row, needs[index]?.units ?? 0)
    return { kind: 'admitted', row: rows[0] ?? null, rows }
  }

  /** @returns false where the lease does not cover the units */
  spend(row: LeasedRow, units: number): boolean {
    if (!row.lease.spend(units)) return false
    if (units !== 1) this.#metrics.surplusUnits += units - 1
    this.#intake.spent(row)
    return true
  }

  /** O12: the row could not cover the units as of the last answer, and that was less than a flush interval ago. */
  isKnownToLack(row: LeasedRow, units: number): boolean {
    return row.figures !== null && units > row.reach && this.#clock.monotonic() < row.schedule.askAgainAtMs
  }
}

/** Nothing is kept of the budget. Its row is made when an exchange carries it, not for each request of a crowd. */
export function isCold({ row, upcoming }: Gate): boolean {
  return row === null && upcoming === null
}
