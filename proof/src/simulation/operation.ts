import type { BudgetSetting, Operation, Setting } from './script.ts'

export type OperationOf<Kind extends Operation['kind']> = Extract<Operation, { readonly kind: Kind }>

/** The budget that an operation is about. An index past the last one starts again at the first. */
export function budgetAt({ budgets }: Setting, index: number): BudgetSetting | undefined {
  return budgets[index % budgets.length]
}
