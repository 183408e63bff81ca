import type { Outcome, RowName } from './exchange.ts'

/**
 * What the transition functions need of a store, inside one transaction. Synchronous: the memory and SQLite stores implement it,
 * and run `applyExchange` on it; the other stores do the same arithmetic in their own language.
 */
export interface Ledger {
  owner(epoch: number): OwnerRow | undefined
  saveOwner(owner: OwnerRow): void
  /** The next epoch number: higher than every one given before, also those whose rows are gone. */
  nextEpoch(): number
  /** The highest store time that any transaction has seen; 0 at first. */
  timeSeen(): number

  budget(key: string, period: number): BudgetRow | undefined
  saveBudget(row: BudgetRow): void
  /** This epoch's lease on the row, and what all other epochs hold. */
  leases(key: string, period: number, epoch: number): LeaseTotals
  /** Writes the lease; 0 removes it. */
  saveLease(lease: LeaseRow): void

  mintedUnits(key: string, id: string): number | undefined
  saveMint(key: string, id: string, units: number): void
  counter(key: string): number | undefined
  saveCounter(key: string, value: number): void

  /** Rows leased by this epoch with `wantedUntil > time`; at most `limit`. */
  wanted(epoch: number, time: number, limit: number): readonly RowName[]

  /** Every owner whose epoch is open. */
  openOwners(): readonly OwnerRow[]
  /** Leases of closed epochs, still to be burned; at most `limit`. */
  closedLeases(limit: number): readonly LeaseRow[]
  /** Unleased rows with `keepUntil < time`; at most `limit`. */
  prunableBudgets(time: number, limit: number): readonly RowName[]
  removeBudget(key: string, period: number): void
  /** Forgets closed owners that ended before `time` and hold no lease. */
  removeOwnersEndedBefore(time: number): void
}

/** One epoch of one engine. */
export interface OwnerRow {
  readonly epoch: number
  /** What the process calls itself, for people. */
  readonly label: string
  readonly state: 'open' | 'closed'
  /** The last seq that was applied; 0 at first. */
  readonly seq: number
  /** What the rows cannot tell of that seq. */
  readonly outcome: Outcome
  /** Store time of its last transaction. */
  readonly seenAt: number
  /** Reaped when store time passes this. */
  readonly expiresAt: number
  /** How long the epoch lives after each exchange, in ms. */
  readonly leaseTtlMs: number
  /** Which process it is, where that can be told: a dead one is reaped at once (S8). Opaque here. */
  readonly process: string | null
}

/** `minted = used + pool + burned + sum(held)` */
export interface BudgetRow {
  readonly key: string
  readonly period: number
  readonly kind: 'initial' | 'window'
  readonly minted: number
  readonly used: number
  /** Negative after a limit was lowered below what is used and leased. */
  readonly pool: number
  readonly burned: number
  readonly limit: number
  readonly burnMax: number
  readonly version: number
  readonly wantedUntil: number
  readonly endsAt: number | null
  readonly keepUntil: number | null
}

export interface LeaseRow {
  readonly key: string
  readonly period: number
  readonly epoch: number
  /** Units, at least 1; 0 only to remove the row. */
  readonly held: number
}

export interface LeaseTotals {
  readonly held: number
  readonly others: number
  readonly othersHeld: number
}
