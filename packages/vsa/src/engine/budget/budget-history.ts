import type { Plan, Window } from '../../core/plan.ts'
import type { RowFigures } from './row-view.ts'

/** P1 */
export interface PolicyChange {
  /** As it was declared. */
  readonly declared: Plan
  /** Before this change: what was admitted then is given back into its periods (P3). */
  readonly before: Plan
  readonly version: number
  /** The family does not know of it: an evicted gate would lose it (L9). */
  readonly isOwn: boolean
}

export type KnownFigures = Pick<RowFigures, 'limit' | 'burned'>

/** What is remembered of a budget whose rows come and go. Made when there is something to remember, and lost when the budget is evicted. */
export class BudgetHistory {
  /** O12: the row of `window` had no more than `reach` units for this owner when it was forgotten: it is read before it is asked again. */
  lack: { readonly window: Window; readonly reach: number } | null = null
  /** Thresholds that were reported, of one row and of what it had minted. */
  reported: { readonly window: Window; readonly minted: number; readonly fractions: number[] } | null = null
  /** See `Gate.knownFigures`. */
  knownFigures: KnownFigures | null = null
  /** When `tryAdmit` last found no lease, after one had gone back unspent. ms of the monotonic clock. */
  triedAtMs: number = -Infinity
  /** P1: the policy was changed at run time: what was declared before, and the version of the change. */
  changed: PolicyChange | null = null
  /** How long a lease that `tryAdmit` asked for is kept unused. */
  leaseKeptMs = 0

  lacks(window: Window, units: number): boolean {
    return this.lack !== null && this.lack.window.start === window.start && units > this.lack.reach
  }
}
