import type { StoreError } from '../../core/errors.ts'
import { tooManyChangesError } from '../api/errors.ts'

/** What the bound on changes depends on. */
export interface ChangeBound {
  readonly settings: { readonly budgetsMax: number }
  readonly session: { readonly lastError: StoreError | null }
}

/**
 * While the store is away, changes of at most `budgetsMax` budgets and counters are kept. Those that have one already take more.
 * @param waiting how many have one
 * @param what would be one more, as in `the refund of budget "a"`
 * @throws VsaError `store_unavailable`, before anything has changed
 */
export function assertRoomForChange({ settings, session }: ChangeBound, waiting: number, what: () => string): void {
  const { lastError } = session
  if (lastError === null || waiting < settings.budgetsMax) return
  throw tooManyChangesError(what(), settings.budgetsMax, lastError)
}
