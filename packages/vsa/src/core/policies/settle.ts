import type { BudgetEntry, MintOutcome } from '../exchange.ts'
import type { HoldTime, RowDraft } from '../row-draft.ts'

/** The outcome of an entry that is not in the row itself. */
export interface Settled {
  /** Units of the refund that were accepted. */
  readonly refunded: number
  readonly mint: MintOutcome | undefined
}

/** S3 for units that stay spent: mint, what was gone (F5), spent, refund, reset (P5), in this order. @throws BooksError */
export function settleUnits(draft: RowDraft, entry: BudgetEntry): Settled {
  const mint = entry.mint === undefined ? undefined : draft.mint(entry.mint)
  if (entry.gone !== undefined) draft.restate(entry.gone)
  draft.spend(entry.spent)
  const refunded = draft.refund(entry.refund)
  if (entry.reset === true) draft.reset()
  return { refunded, mint }
}

/** S3, S5, O12: marks the row as wanted where the entry asks for it, then moves the lease towards the requested one. @throws BooksError */
export function moveLease(draft: RowDraft, entry: BudgetEntry, at: HoldTime): void {
  draft.want(entry.wantMs, at.time)
  draft.moveHold(entry.hold, at)
}
