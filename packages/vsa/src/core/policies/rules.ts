import type { BudgetEntry } from '../exchange.ts'
import type { HoldTime, RowDraft } from '../row-draft.ts'
import type { BudgetRow } from '../rows.ts'
import * as initial from './initial.ts'
import type { Settled } from './settle.ts'
import * as window from './window.ts'

/** The rules of each kind of budget for a row in an exchange. */
export interface PolicyRules {
  /** S3, the entry by itself: policy, mint, spent, refund. @throws BooksError */
  settle(draft: RowDraft, entry: BudgetEntry): Settled
  /** S3, S5: after all takes. @throws BooksError */
  moveHold(draft: RowDraft, entry: BudgetEntry, at: HoldTime): void
}

const RULES: Readonly<Record<BudgetRow['kind'], PolicyRules>> = { initial, window }

export function rulesOf(kind: BudgetRow['kind']): PolicyRules {
  return RULES[kind]
}
