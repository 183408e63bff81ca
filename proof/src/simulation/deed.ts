import type { BudgetSetting, Deed, Setting } from './script.ts'

export type DeedOf<Kind extends Deed['kind']> = Extract<Deed, { readonly kind: Kind }>

/** The budget that a deed is about: a script counts on past the last, from the first again. */
export function budgetAt({ budgets }: Setting, index: number): BudgetSetting | undefined {
  return budgets[index % budgets.length]
}
