import type { Policy } from 'vsa'

/*
 * Budgets that the children use by ids alone: so what was told of each id says to the unit what the store must have in the end, whatever was killed.
 */

export interface CreditBudget {
  readonly policy: Policy
  readonly limit: number
}

/** One that is never exhausted, and one that nearly always is. */
export const CREDIT_BUDGETS: Readonly<Record<string, CreditBudget>> = {
  credits: { policy: { initial: 50_000_000 }, limit: 50_000_000 },
  'last-credits': { policy: { initial: 400 }, limit: 400 },
}

/** Ids in use: so many more with each second. */
const IDS_PER_SECOND = 20
/** The latest of them are used again and again, by all processes. */
const RECENT_IDS = 60
const UNITS_MAX = 9

/** @param seconds of the run so far */
export function idsUsed(seconds: number): number {
  return seconds * IDS_PER_SECOND
}

/** The ids that are used now, as numbers from the first to the last. */
export function recentIds(seconds: number): readonly [first: number, last: number] {
  const count = idsUsed(seconds)
  return [Math.max(0, count - RECENT_IDS), count - 1]
}

export function reservationId(number: number): string {
  return `r-${number}`
}

export function admissionId(number: number): string {
  return `a-${number}`
}

/** The units that every process asks for under the id of this number. */
export function unitsOf(number: number): number {
  return 1 + (number % UNITS_MAX)
}
