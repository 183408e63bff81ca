import type { BudgetRow, Policy } from '../../../packages/vsa/dist/index.js'
import { areExact, type ProcessTotals, rowName, UnitSums } from './process-totals.ts'
import { type Held, NOTHING_HELD } from './reservation-moves.ts'
import type { BudgetSetting, Setting } from './script.ts'
import { must } from './violation.ts'
import type { Violations } from './violations.ts'
import { allBudgets } from './wide-budgets.ts'

/** An independent count of what all callers were answered, checked against the laws with every answer. */
export class Admissions {
  readonly #budgets: ReadonlyMap<string, BudgetSetting>
  readonly #violations: Violations
  readonly admitted: UnitSums = new UnitSums()
  readonly refunded: UnitSums = new UnitSums()
  /** What reservations hold of a row. */
  heldByReservations: (name: string) => Held = () => NOTHING_HELD
  /** By key: what mints have asked for so far, the most for each id. */
  readonly #minted = new Map<string, Map<string, number>>()
  /** The most that each row has minted. */
  readonly #mintedMost = new Map<string, number>()
  /** What resets have given back, and what had left the pools of rows that were deleted. */
  readonly #again: UnitSums = new UnitSums()
  /** The changes of each process's sums when they were last found covered. */
  readonly #changesCovered = new WeakMap<ProcessTotals, number>()

  constructor(setting: Setting, violations: Violations) {
    this.#budgets = new Map(allBudgets(setting).map((budget) => [budget.key, budget]))
    this.#violations = violations
  }

  /**
   * A caller was answered that the units are admitted.
   * @param latestTime the latest store time there can be, ms since 1970
   */
  addAdmitted(
    totals: ProcessTotals,
    admitted: { readonly key: string; readonly period: number; readonly units: number; readonly durable: boolean },
    latestTime: number,
  ): void {
    const { key, period, units, durable } = admitted
    const name = rowName(key, period)
    this.admitted.add(name, units)
    totals.admitted.add(name, units)
    if (durable) totals.admittedDurably.add(name, units)
    this.#violations.attempt(() =>
      // Store and owner clocks run at the same speed here.
      must(
        period <= latestTime,
        'O11',
        () => `${name}: admitted from a future period; the latest store time is ${latestTime}`,
      ),
    )
    this.#violations.attempt(() => this.#assertBound(name, key))
    this.#violations.attempt(() => this.#assertCovered(totals, name))
    const lacking = totals.admittedDurably.of(name) - totals.refunded.of(name) - totals.settled.of(name)
    this.#violations.attempt(() =>
      must(
        !durable || lacking <= 0,
        'O9',
        () => `${name}: ${lacking} units were answered as durable, and are not durable`,
      ),
    )
  }

  /** A caller refunds units. They count from the call: the weaker check for L1, the stronger one for the final totals. */
  addRefunded(totals: ProcessTotals, key: string, period: number, units: number): void {
    const name = rowName(key, period)
    this.refunded.add(name, units)
    totals.refunded.add(name, units)
  }

  addMint(key: string, id: string, units: number): void {
    const ids = this.#minted.get(key) ?? new Map<string, number>()
    ids.set(id, Math.max(ids.get(id) ?? 0, units))
    this.#minted.set(key, ids)
  }

  /** The store has changed a row, which may be removed by the end of the same transaction. */
  rowChanged({ key, period, minted }: BudgetRow): void {
    const name = rowName(key, period)
    this.#mintedMost.set(name, Math.max(minted, this.#mintedMost.get(name) ?? 0))
    this.#violations.attempt(() => this.#assertBound(name, key))
  }

  /** P5: L1 counts from the reset. What was admitted before it may be admitted again. */
  addReset(name: string, units: number): void {
    this.#again.add(name, units)
  }

  /**
   * P6: a row was deleted, and the next one of the name is a fresh one.
   * @param units that had left its pool, except by reservations, which are gone as well
   */
  addDeleted(name: string, units: number): void {
    this.#again.add(name, units)
    this.#mintedMost.delete(name)
  }

  /** L1: never more than the policy and the mints allow, nor than the store has minted. */
  #assertBound(name: string, key: string): void {
    // What reservations hold is admitted, too.
    const { used, reserved } = this.heldByReservations(name)
    const net = this.admitted.of(name) - this.refunded.of(name) + used + reserved
    const setting = this.#budgets.get(key)
    if (setting === undefined || !areExact(name, this.admitted, this.refunded, this.#again)) return
    let bound = Math.max(...setting.policies.map(unitsOf))
    for (const units of this.#minted.get(key)?.values() ?? []) bound += units
    const again = this.#again.of(name)
    must(net <= bound + again, 'L1', () => `${name}: ${net} units were admitted, and at most ${bound} + ${again} exist`)
    const most = this.#mintedMost.get(name) ?? 0
    must(net <= most + again, 'L1', () => `${name}: ${net} units were admitted, and ${most} + ${again} were minted`)
  }

  /** L1: every unit that a process admitted is settled by it, leased to it, or burned with it; or its lease was deleted (P6). */
  assertAllCovered(totals: ProcessTotals): void {
    const { admitted, refunded, settled, held, burned, unheard, lost } = totals
    const changes = [admitted, refunded, settled, held, burned, unheard, lost].reduce(
      (sum, one) => sum + one.changes,
      0,
    )
    // It is called after every event, and most change nothing here.
    if (this.#changesCovered.get(totals) === changes) return
    this.#changesCovered.set(totals, changes)
    for (const row of admitted.names()) this.#violations.attempt(() => this.#assertCovered(totals, row))
  }

  #assertCovered(totals: ProcessTotals, name: string): void {
    if (!areExact(name, totals.admitted, totals.refunded, totals.settled)) return
    const net = totals.admitted.of(name) - totals.refunded.of(name)
    const [settled, held, burned] = [totals.settled.of(name), totals.held.of(name), totals.burned.of(name)]
    const deleted = totals.unheard.of(name) + totals.lost.of(name)
    must(
      net <= settled + held + burned + deleted,
      'L1',
      () =>
        `${name}: a process admitted ${net} units; ${settled} are settled, ${held} leased, ${burned} burned, ${deleted} deleted`,
    )
  }
}

function unitsOf(policy: Policy): number {
  return 'initial' in policy ? policy.initial : policy.limit
}
