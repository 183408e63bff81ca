/** How many are looked through for an equal one. The rows of one batch differ in what was spent from them, hardly in more. */
const RECENT_MAX = 8

/** When the usual things happened to a row, by the owner's monotonic clock. Never changed: rows that were sent and answered together share one. */
export interface RowTimes {
  readonly sentAtMs: number
  /** When the row was last asked for. */
  readonly usedAtMs: number
  /** When the row, or the one of the period before, was last spent from: what is not spent from is not fetched ahead. */
  readonly spentAtMs: number
  /** One flush interval after the last answer: until then a larger lease is not asked for, and figures are relied on (O12). */
  readonly askAgainAtMs: number
}

const recent: RowTimes[] = []
let oldest = 0

/** These times, in the object that was made for them lately if there is one. */
export function rowTimes(sentAtMs: number, usedAtMs: number, spentAtMs: number, askAgainAtMs: number): RowTimes {
  for (const times of recent) {
    const isSame = times.sentAtMs === sentAtMs && times.usedAtMs === usedAtMs
    if (isSame && times.spentAtMs === spentAtMs && times.askAgainAtMs === askAgainAtMs) return times
  }
  const made = { sentAtMs, usedAtMs, spentAtMs, askAgainAtMs }
  recent[oldest] = made
  oldest = (oldest + 1) % RECENT_MAX
  return made
}
