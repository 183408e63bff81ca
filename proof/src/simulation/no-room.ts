/** The store is away, and `budgetsMax` budgets and counters have changes to send already: one more is refused. */
export function hasNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'store_unavailable'
}
