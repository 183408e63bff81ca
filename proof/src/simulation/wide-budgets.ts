import type { BudgetSetting, Setting } from './script.ts'

/** The budgets of a wide setting: equal except for their keys. A script names them by number, so that it stays short. */
export function wideBudget(setting: Setting, number: number): BudgetSetting | undefined {
  const { wide } = setting
  if (wide === null || number >= wide.rows) return undefined
  return { ...wide.budget, key: `${wide.budget.key}${number}` }
}

/** Every budget that the callers of a run may use. */
export function allBudgets(setting: Setting): readonly BudgetSetting[] {
  const wide = Array.from({ length: setting.wide?.rows ?? 0 }, (_, number) => wideBudget(setting, number) ?? [])
  return [...setting.budgets, ...wide.flat()]
}
