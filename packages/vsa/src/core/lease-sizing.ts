/** The inputs for the size of a row's next lease (O7). Units are units, times ms. */
export interface LeaseDemand {
  /** The last requested lease; 0 at first. */
  readonly hold: number
  /** Net units spent since then, plus units requested and not granted. */
  readonly spent: number
  /** The most units that one `tryAdmit` asked for: a smaller lease would never admit it. Default 0. */
  readonly least?: number
  readonly elapsedMs: number
  readonly flushIntervalMs: number
  /** The recent duration of an exchange. */
  readonly exchangeMs: number
  /** The largest lease that the policy allows. */
  readonly atRisk: number
  /** The units of the row available for this lease, as of the last exchange: its pool and this owner's lease; Infinity when not known. */
  readonly available: number
  /** Other owners that hold a lease on the row. */
  readonly others: number
}

/** The first lease of a row: enough for a handful of requests, so that a key touched once reserves little. */
const FIRST_HOLD = 8
/** A lease grows by this factor at most in one exchange. */
const GROWTH_MAX = 8
/** A burst shorter than this is not used to estimate a rate. */
const ELAPSED_MIN_MS = 5

/**
 * O7: about twice what is spent in one flush interval and one exchange, at most `atRisk`, and at most an equal share of what the row
 * has left among the lease holders. It changes by one factor of two at a time, or by up to three when the last requests needed more:
 * a burst of a few milliseconds is a poor estimate of a rate, and a hundred owners that start at once must not reserve all units.
 * One cost that a smaller lease could never cover is the exception.
 */
export function nextHold(demand: LeaseDemand): number {
  const { hold, spent, least = 0, elapsedMs, flushIntervalMs, exchangeMs, atRisk, available, others } = demand
  const rate = spent / Math.max(elapsedMs, exchangeMs, ELAPSED_MIN_MS)
  const wish = Math.max(2 * rate * (flushIntervalMs + exchangeMs), FIRST_HOLD)
  const share = Math.ceil(Math.max(available, 0) / (others + 1))
  return Math.min(Math.max(stepTowards(wish, Math.max(hold, FIRST_HOLD), spent), least), atRisk, share)
}

function stepTowards(wish: number, hold: number, spent: number): number {
  if (wish > hold) return Math.max(2 * hold, Math.min(GROWTH_MAX * hold, 2 ** Math.ceil(Math.log2(2 * spent))))
  return wish < hold / 4 ? Math.floor(hold / 2) : hold
}

/** At this many units left, or fewer, the lease is topped up before the next flush is due (O8). */
export function lowWaterOf(hold: number): number {
  return Math.floor(hold / 4)
}
