import type { ListedRow } from './store.ts'

/** The balance of one row: L2 requires `minted = used + reserved + pool + burned + held`. All in units. */
export interface TrialBalance {
  readonly key: string
  /** The start of the row's period, ms since 1970; 0 without windows. */
  readonly period: number
  readonly minted: number
  readonly used: number
  /** Set aside by reservations. */
  readonly reserved: number
  readonly pool: number
  readonly burned: number
  /** All leases on the row together. */
  readonly held: number
  /** `minted - (used + reserved + pool + burned + held)`: 0 when the row balances, above 0 when units are missing, below 0 when there are too many. */
  readonly difference: number
  /** Descriptions of the faults; empty when the row balances. */
  readonly faults: readonly string[]
}

/** Computes the trial balance of one row and every lease on it. Pure. */
export function trialBalance({ budget, leases }: ListedRow): TrialBalance {
  const { key, period, minted, used, reserved, pool, burned } = budget
  const held = leases.reduce((sum, lease) => sum + lease.held, 0)
  // No partial sum of a valid row exceeds minted, which is at most 2^53 - 1; only the pool may be negative, so it comes last.
  const difference = minted - (used + reserved + burned + held + pool)
  return { key, period, minted, used, reserved, pool, burned, held, difference, faults: [...faultsOf()] }

  function* faultsOf(): Generator<string> {
    for (const [name, units] of Object.entries({ minted, used, reserved, burned, leased: held })) {
      if (!Number.isSafeInteger(units) || units < 0) yield `${name} is no number of units: ${units}`
    }
    if (!Number.isSafeInteger(pool)) yield `pool is no number of units: ${pool}`
    for (const lease of leases) {
      if (!(lease.held >= 1)) yield `the lease of epoch ${lease.epoch} holds ${lease.held}`
    }
    if (difference > 0) yield `${difference} of the minted units are nowhere`
    if (difference < 0) yield `${-difference} units more than were minted`
  }
}
