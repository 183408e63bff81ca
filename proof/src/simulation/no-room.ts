/** The store is away, and `budgetsMax` budgets and counters have changes to send already: one more is refused. */
export function hasNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'store_unavailable'
}

/** V3: the overage of a waterfall would take its counter beyond the safe integers. Nothing was charged. */
export function isCounterFull(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith('n is too much at once')
}
