import type { BudgetSetting, Operation, Setting } from './script.ts'

export type OperationOf<Kind extends Operation['kind']> = Extract<Operation, { readonly kind: Kind }>

/** The budget that a operation is about: a script counts on past the last, from the first again. */
export function budgetAt({ budgets }: Setting, index: number): BudgetSetting | undefined {
  return budgets[index % budgets.length]
}
