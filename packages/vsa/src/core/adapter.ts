import type { Batch, RowName } from './exchange.ts'
import type { BudgetRow, CounterRow, LeaseRow, MintRow, OwnerRow } from './rows.ts'
import type { ListPage, ListRange, StoreCapabilities } from './store.ts'

/** At once from a store in this process, else by a promise. */
export type Awaitable<T> = T | Promise<T>

/**
 * What a store implements: it loads rows and saves rows, and decides nothing. `storeFrom` makes a `Store` out of it, by the transitions
 * of this folder, which are the only arithmetic there is (stores.md section 0).
 *
 * Each method may throw, or reject with, a `StoreError`: with `applied: 'unknown'` only when a `save` may have been durable all the same.
 * Where `load…` and `save` answer at once, the caller does all of one transaction in one turn: nothing comes in between.
 */
export interface StoreAdapter {
  readonly capabilities: StoreCapabilities
  /** An owner is reaped this long after its last exchange, in ms. */
  readonly leaseTtlMs: number
  /** Connects where there is no connection yet; called before every other call but `close`. */
  ready(): Awaitable<void>
  loadJoin(): Awaitable<Snapshot<JoinRows>>
  loadExchange(batch: Batch): Awaitable<Snapshot<ExchangeRows>>
  loadUpkeep(bounds: UpkeepBounds): Awaitable<Snapshot<UpkeepRows>>
  /** Rows as they are now, in the order of the names; a row that does not exist is left out. */
  read(names: readonly RowName[]): Awaitable<readonly BudgetRow[]>
  /** One page of rows in (key, period) order, each with all leases on it, all of one moment. */
  list(range: ListRange): Awaitable<ListPage>
  /** Every owner that is remembered, oldest first. */
  owners(): Awaitable<readonly OwnerRow[]>
  /** Lets go of connections, files and threads; the next `ready` opens them again. Idempotent. */
  close(): Awaitable<void>
}

/** Rows as of one moment: locked, or versioned, until `save` or `release`. One of the two is called, once. */
export interface Snapshot<Rows> {
  readonly rows: Rows
  /** Store time, read behind the locks, whole ms since 1970. It never goes back (S1). */
  readonly time: number
  /** Writes all or nothing, durable on return. False when a version has moved: then nothing was written, and the rows are to be loaded again. */
  save(writes: Writes): Awaitable<boolean>
  /** Lets go of the locks and writes nothing. */
  release(): Awaitable<void>
}

/** What a join must see. */
export interface JoinRows {
  /** The highest epoch that was ever given; 0 at first. */
  readonly lastEpoch: number
  /** Which process calls, for `OwnerRow.process`; null where that cannot be told. */
  readonly process: string | null
}

/** What an exchange must see. */
export interface ExchangeRows {
  /** The row of `batch.epoch`; undefined when it is not known. */
  readonly owner: OwnerRow | undefined
  /** What each entry of the batch names, by its index; null for a void entry. May be empty where `needsRows` says that no row is needed. */
  readonly entries: readonly (EntryRows | null)[]
  /** Rows leased by this epoch with `wantedUntil` past the time, also those not in the batch: at most {@link WANTED_ROWS_MAX} besides those in it. */
  readonly wanted: readonly RowName[]
}

/** Rows that one answer names as wanted; the next answer names the rest. */
export const WANTED_ROWS_MAX = 1_000

export type EntryRows = LoadedBudget | LoadedCounter | DamagedRow

export interface LoadedBudget {
  readonly kind: 'budget'
  /** Undefined where there is none. */
  readonly row: BudgetRow | undefined
  /** This epoch's lease; 0 where there is none. */
  readonly held: number
  /** How many other open epochs hold a lease on the row, and how many units together. */
  readonly others: number
  readonly othersHeld: number
  /** Leases of closed epochs on the row, still to be burned (S8). */
  readonly ended: readonly LeaseRow[]
  /** Units that were minted under the id of the entry's mint; undefined when none were. */
  readonly mintedBefore: number | undefined
}

export interface LoadedCounter {
  readonly kind: 'counter'
  /** 0 where there is none. */
  readonly value: number
}

/** The row is there and cannot be read: the exchange is answered `breach`, and names it (S6). */
export interface DamagedRow {
  readonly kind: 'damaged'
  readonly detail: string
}

/** What one upkeep may look at. */
export interface UpkeepBounds {
  /** Leases that are burned, rows that are pruned and owners that are forgotten at most, each. */
  readonly rowsMax: number
  /** Closed owners that ended longer ago than this are forgotten, in ms. */
  readonly ownersKeptMs: number
}

/** What upkeep must see. */
export interface UpkeepRows {
  /** Every owner whose epoch is open. */
  readonly open: readonly OpenOwner[]
  /** Closed epochs that may still have leases. */
  readonly burning: readonly number[]
  /** Leases of those, each with its budget row; at most `rowsMax`. */
  readonly ended: readonly EndedLease[]
  /** Rows without a lease whose `keepUntil` is before the time; at most `rowsMax`. */
  readonly prunable: readonly RowName[]
  /** Closed epochs without a lease that ended longer ago than `ownersKeptMs`; at most `rowsMax`. */
  readonly forgettable: readonly number[]
}

export interface OpenOwner {
  readonly owner: OwnerRow
  /** The process behind it is surely dead (S8). */
  readonly isGone: boolean
}

export interface EndedLease {
  readonly lease: LeaseRow
  /** Undefined where there is none; null when it cannot be read. */
  readonly row: BudgetRow | undefined | null
}

/** What one transaction changes. Lists may be empty; no row is named twice. */
export interface Writes {
  /** Store time of the transaction: the store remembers the latest time that it was told (S1). */
  readonly time: number
  readonly owners: readonly OwnerWrite[]
  readonly budgets: readonly BudgetWrite[]
  /** As each lease is afterwards; `held` 0 removes it. */
  readonly leases: readonly LeaseRow[]
  /** New ids. */
  readonly mints: readonly MintRow[]
  readonly counters: readonly CounterRow[]
  readonly removedBudgets: readonly RowName[]
  readonly removedOwners: readonly number[]
  /** Closed epochs that have no lease left: they are not looked at again. */
  readonly burnedOut: readonly number[]
}

export interface OwnerWrite {
  /** `opened`: a new row, and the highest epoch so far. `renewed`: only seq, outcome, `seenAt` and `expiresAt` differ. `closed`: the epoch ends. */
  readonly change: 'opened' | 'renewed' | 'closed'
  readonly row: OwnerRow
}

export interface BudgetWrite {
  /** `created`: a new row. `settled`: only minted, used, pool and burned differ. `changed`: other fields too. */
  readonly change: 'created' | 'settled' | 'changed'
  readonly row: BudgetRow
}
