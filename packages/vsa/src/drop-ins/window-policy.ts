import type { WindowPolicy } from '../index.ts'

const HOUR_MS = 3_600_000
/** The smallest lease of a window up to an hour. VSA's own default, 1 % of the limit, would be a store call for each request at 100 per 15 minutes. */
const LEASE_MIN = 32
/** From such a lease on `tryAdmit` is asked first. With smaller ones it would mostly refuse, and each refusal would count as a denial in `stats()`. */
const TRY_MIN = 8

/**
 * `limit` units in each `periodMs`.
 * @param atRisk the most units that a crash may burn. Default: 1 % of the limit, rounded up; in a period up to an hour at least 32; never more than the limit
 */
export function windowPolicy(limit: number, periodMs: number, atRisk: number | undefined): WindowPolicy {
  const policy = { limit, per: periodMs }
  if (atRisk !== undefined) return { ...policy, atRisk }
  // VSA refuses it, and names it.
  if (!Number.isSafeInteger(limit) || limit < 0) return policy
  const share = Math.ceil(limit / 100)
  return { ...policy, atRisk: Math.min(limit, periodMs <= HOUR_MS ? Math.max(LEASE_MIN, share) : share) }
}

/** Whether `tryAdmit` may be asked: never of a durable budget. */
export function canTry({ limit, atRisk = 0 }: WindowPolicy): boolean {
  return limit > 0 && atRisk >= Math.min(TRY_MIN, limit)
}
