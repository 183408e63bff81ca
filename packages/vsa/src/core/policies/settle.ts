import type { BudgetEntry, MintOutcome } from '../exchange.ts'
import type { RowDraft } from '../row-draft.ts'

/** The outcome of an entry that is not in the row itself. */
export interface Settled {
  /** Units of the refund that were accepted. */
  readonly refunded: number
  readonly mint: MintOutcome | undefined
}

/** S3 for units that stay spent: mint, spent, refund, in this order. @throws BooksError */
export function settleUnits(draft: RowDraft, entry: BudgetEntry): Settled {
  const mint = entry.mint === undefined ? undefined : draft.mint(entry.mint)
  draft.spend(entry.spent)
  return { refunded: draft.refund(entry.refund), mint }
}

/** S3, S5, O12: marks the row as wanted where the entry asks for it, then moves the lease towards the requested one. @throws BooksError */
export function moveLease(draft: RowDraft, entry: BudgetEntry, time: number): void {
  draft.want(entry.wantMs, time)
  draft.moveHold(entry.hold, time)
}
