import type { RowName } from './exchange.ts'
import type { DroppedIntent } from './reservations/intents.ts'
import type { BudgetRow, CounterRow, Leap, LeaseRow, MintRow, OwnerRow, ReservationRow } from './rows.ts'

/** The writes of one transaction. Lists may be empty; no row occurs twice. */
export interface Writes {
  /** Store time of the transaction: the store keeps the latest of these times (S1). */
  readonly time: number
  readonly owners: readonly OwnerWrite[]
  readonly budgets: readonly BudgetWrite[]
  /** The new value of each lease; `held` 0 removes it. */
  readonly leases: readonly LeaseRow[]
  /** New ids. */
  readonly mints: readonly MintRow[]
  readonly counters: readonly CounterRow[]
  readonly reservations: readonly ReservationWrite[]
  readonly removedReservations: readonly ReservationRow[]
  /** Numbers of intents that were applied, or never can be. Empty where the store told of none. */
  readonly removedIntents: readonly number[]
  /**
   * T1: those of `removedIntents` that can never be applied. They are reported, once: where another transaction has removed one of them first, `save`
   * answers false.
   */
  readonly droppedIntents: readonly DroppedIntent[]
  readonly removedBudgets: readonly PrunableRow[]
  /** P6; null for none. */
  readonly deletion: Deletion | null
  /** P6: deleted leases of which their epoch has heard. */
  readonly heardDeletions: readonly LeaseName[]
  /** What is kept of deleted leases for these epochs goes as well. */
  readonly removedOwners: readonly number[]
  /** Closed epochs without a lease left: upkeep does not load them again. */
  readonly burnedOut: readonly number[]
  /** Replaces the one that the store keeps; null leaves it as it is. */
  readonly leap: Leap | null
  /** Replaces what is kept of the incarnation; null leaves it as it is, and always where the snapshot told no `life`. */
  readonly life: KeptLife | null
}

/**
 * P6: rows, leases and mints that are removed, and what is kept instead: when the key was deleted last (`Writes.time`), for 7 days, and of each lease that it was
 * deleted, until its epoch has heard of it, or is forgotten. Each deletion forgets up to `FORGOTTEN_KEYS_MAX` keys that were deleted before `deletedKeysFrom`
 * its time, found by an index.
 */
export interface Deletion {
  readonly key: string
  readonly budgets: readonly RowName[]
  /** All leases on these rows. */
  readonly leases: readonly LeaseRow[]
  readonly mints: readonly MintName[]
}

/** A lease, by its row and its owner. */
export interface LeaseName extends RowName {
  readonly epoch: number
}

/** The incarnation that a store has kept, and until when it is frozen (F3), in store time, ms since 1970; 0: it is not. */
export interface KeptLife {
  readonly incarnation: string
  readonly frozenUntil: number
}

export interface OwnerWrite {
  /** `opened`: a new row, and the highest epoch so far. `renewed`: only seq, outcome, `seenAt` and `expiresAt` differ. `closed`: the epoch ends. */
  readonly change: 'opened' | 'renewed' | 'closed'
  readonly row: OwnerRow
}

export interface ReservationWrite {
  /** `created`: a new row. `changed`: only the lots differ; their number, keys and periods do not. */
  readonly change: 'created' | 'changed'
  readonly row: ReservationRow
}

export interface BudgetWrite {
  /** `created`: a new row. `settled`: only minted, used, reserved, pool and burned differ. `changed`: other fields too. */
  readonly change: 'created' | 'settled' | 'changed'
  readonly row: BudgetRow
}

export interface PrunableRow extends RowName {
  readonly endsAt: number | null
}

export interface MintName {
  readonly key: string
  readonly id: string
}
