import type { DenialReason } from '../../core/decision.ts'
import type { BudgetAnswer } from '../../core/exchange.ts'
import type { Window } from '../../core/plan.ts'

/** What the store last said of a row, apart from this owner's lease. */
export type RowFigures = Omit<BudgetAnswer, 'kind' | 'held' | 'refunded' | 'mint'>

/** One row of a budget, as this owner knows it: for display, never for deciding. */
export interface RowView {
  readonly key: string
  readonly window: Window
  /** Null before the first answer. */
  readonly figures: RowFigures | null
  /** Units leased to this owner, as of the last answer. */
  readonly held: number
  /** Units that this owner has spent and the store has not acknowledged. */
  readonly delta: number
  /** Units that this owner gives back and the store has not acknowledged. */
  readonly owed: number
  /** S6: its books do not balance, or it cannot be read. */
  readonly isQuarantined: boolean
  /** An exchange carries the row: what the store has of it may change at any moment. */
  readonly isInFlight: boolean
  /** What the row could give to this owner in all, as far as is known; Infinity when nothing is. */
  readonly reach: number
}

/** Why the row refuses the units. */
export function reasonOf(row: RowView | null, units: number): Exclude<DenialReason, 'unavailable' | 'refunded'> {
  const figures = row?.figures
  if (row === null || figures === null || figures === undefined) return 'exhausted'
  // Credits before the first mint: there is no limit that the cost could be above.
  const isUnminted = figures.minted === 0 && row.window.end === Infinity
  if (units > figures.minted && !isUnminted) return 'over-limit'
  return units <= row.reach ? 'reserved' : 'exhausted'
}
