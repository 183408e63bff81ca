import type { RowView } from './row-view.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'

/** L4: no lease above what a crash may burn, and all crashes together within their bound. */
export class LeaseBounds {
  readonly #budgets: ReadonlyMap<string, BudgetSetting>
  /** By row: the most leases that were on it at once. */
  readonly #leasesMost = new Map<string, number>()

  constructor(budgets: readonly BudgetSetting[]) {
    this.#budgets = new Map(budgets.map((budget) => [budget.key, budget]))
  }

  assertWithin(name: string, { budget, leases }: RowView): void {
    const setting = this.#budgets.get(budget.key)
    if (setting === undefined) return
    const { atRiskMax, burnMaxMost } = setting
    for (const [epoch, held] of leases)
      must(held <= atRiskMax, 'L4', () => `${name}: the lease of epoch ${epoch} is ${held}, above atRisk ${atRiskMax}`)
    const most = Math.max(this.#leasesMost.get(name) ?? 0, leases.size)
    this.#leasesMost.set(name, most)
    const bound = burnMaxMost + atRiskMax * (most + 1)
    must(budget.burned <= bound, 'L4', () => `${name}: ${budget.burned} burned, and the bound is ${bound}`)
  }
}
