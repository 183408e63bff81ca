import type { Epochs } from './epochs.ts'
import type { RowView } from './row-view.ts'
import type { BudgetSetting, Setting } from './script.ts'
import { must } from './violation.ts'
import { allBudgets } from './wide-budgets.ts'

/**
 * L4: no lease is above `atRisk`, and all crashes of a period together burn no more than their bound. A closed epoch's lease counts as burned
 * from the moment the epoch is closed, however late its row is rewritten.
 */
export class LeaseBounds {
  readonly #budgets: ReadonlyMap<string, BudgetSetting>
  readonly #epochs: Epochs
  /** By row: the most owners that were alive and held a lease on it at once. */
  readonly #aliveMost = new Map<string, number>()

  constructor(setting: Setting, epochs: Epochs) {
    this.#budgets = new Map(allBudgets(setting).map((budget) => [budget.key, budget]))
    this.#epochs = epochs
  }

  /** P6: the next row of the name is a fresh one. */
  forget(name: string): void {
    this.#aliveMost.delete(name)
  }

  assertLeases(name: string, { budget, leases }: RowView): void {
    const atRisk = this.#budgets.get(budget.key)?.atRiskMax ?? Infinity
    for (const [epoch, held] of leases)
      must(held <= atRisk, 'L4', () => `${name}: the lease of epoch ${epoch} is ${held}, above atRisk ${atRisk}`)
  }

  /** `burnMax`, and one `atRisk` for each owner that was alive. */
  assertBurned(name: string, row: RowView): void {
    const setting = this.#budgets.get(row.budget.key)
    if (setting === undefined) return
    const { atRiskMax, burnMaxMost } = setting
    const { burned, alive } = this.#epochs.leasesOf(row)
    const most = Math.max(this.#aliveMost.get(name) ?? 0, alive)
    this.#aliveMost.set(name, most)
    const bound = burnMaxMost + atRiskMax * most
    const all = row.budget.burned + burned
    must(
      all <= bound,
      'L4',
      () =>
        `${name}: ${all} burned (${burned} in leases of closed epochs), above the bound of ${bound} with ${most} owners`,
    )
  }
}
