import type { AppliedAnswer, Batch, RowName } from './exchange.ts'
import type { IntentWriter } from './intent-writer.ts'
import type { Intent, SettleIntent } from './reservations/intents.ts'
import type { BudgetRow, Leap, LeaseRow, OwnerRow, ReservationRow } from './rows.ts'
import type { ListPage, ListRange, StoreCapabilities } from './store.ts'
import type { MintName, PrunableRow, Writes } from './written-rows.ts'

/** A value from a synchronous store, else a promise. */
export type Awaitable<T> = T | Promise<T>

/**
 * What a store implements: it loads and saves rows, and makes no decisions. `storeFrom` builds a `Store` from it with the transitions
 * of this folder, which are the only arithmetic (stores.md section 0).
 *
 * Each method may throw, or reject with, a `StoreError`: with `applied: 'unknown'` only when a `save` may be durable despite the error.
 * Where `load…` and `save` are synchronous, the caller completes a transaction in one turn, without interleaving.
 */
export interface StoreAdapter {
  readonly capabilities: StoreCapabilities
  /** An owner is reaped this long after its last exchange, in ms. */
  readonly leaseTtlMs: number
  /** T1. Absent where the store has none. */
  readonly intents?: IntentWriter
  /** Connects if there is no connection yet; called before every other call except `close`. */
  ready(): Awaitable<void>
  loadJoin(): Awaitable<Snapshot<JoinRows>>
  loadExchange(batch: Batch): Awaitable<Snapshot<ExchangeRows>>
  /**
   * The fast path: decides the batch where the rows are, in one round trip, as `transition` does. Null leaves it to the general path: nothing was
   * written. Absent when there is none.
   */
  exchangePlain?(batch: Batch): Awaitable<Exchanged | null>
  /**
   * F4: acknowledged writes may be forgotten now, as was last read: each answer tells it. Only for a store of which that may begin while an owner goes on. Absent: as the join said.
   */
  readonly mayForget?: boolean
  loadUpkeep(bounds: UpkeepBounds): Awaitable<Snapshot<UpkeepRows>>
  /** The reservations that are to be swept, the earliest first: at most `max`, and none behind the one that reaches `LOADED_SOURCES_MAX`. */
  loadSweep(max: number): Awaitable<Snapshot<SweepRows>>
  /**
   * P6: what there is of a key. Absent where the store deletes nothing.
   * @param max of rows, of reservations and of mints, each; no reservation behind the one that reaches `LOADED_SOURCES_MAX`
   */
  loadDeletion?(key: string, max: number): Awaitable<Snapshot<DeletionRows>>
  /** Rows as they are now, in the order of the names; a row that does not exist is left out. */
  read(names: readonly RowName[]): Awaitable<readonly BudgetRow[]>
  /** One page of rows in (key, period) order, each with all leases on it, all of one moment. */
  list(range: ListRange): Awaitable<ListPage>
  /** Every owner row, oldest first. */
  owners(): Awaitable<readonly OwnerRow[]>
  /** Releases connections, files and threads; the next `ready` opens them again. Idempotent. */
  close(): Awaitable<void>
}

/** When a transaction takes place, in ms since 1970. `StoreClock` tells it. */
export interface StoreTime {
  /** Store time, read while holding the locks, a whole number. It never goes back (S1). */
  readonly time: number
  /** The latest store time that was kept before; 0 when there was none. */
  readonly timeSeen: number
  /** This handle's own clock. */
  readonly clock: number
}

/** A batch that the fast path has decided. Durable. */
export interface Exchanged extends StoreTime {
  readonly answer: AppliedAnswer
  /** Budget rows that it made. */
  readonly made: number
  /** Whether an upkeep would find something to do now. The one that is due next is left out when not. */
  readonly isUpkeepDue: boolean
}

/** A consistent snapshot of rows, locked or versioned until `save` or `release`. Exactly one of the two is called, once. */
export interface Snapshot<Rows> extends StoreTime {
  readonly rows: Rows
  /** Absent where the store never forgets what it acknowledged. */
  readonly life?: StoreLife
  /** Writes all or nothing, durable on return. False on a version conflict: nothing was written, and the rows must be loaded again. */
  save(writes: Writes): Awaitable<boolean>
  /** Releases the locks and writes nothing. */
  release(): Awaitable<void>
}

/** What a store that may forget knows of itself, read behind the same locks as the rows (stores.md section 5). */
export interface StoreLife {
  /**
   * The present one: a text that changes whenever acknowledged writes may be missing, and that was never there before. From the server itself: the run
   * id of a Redis, the timeline of a Postgres.
   */
  readonly incarnation: string
  /** As the last `Writes.life` said; null at first. */
  readonly keptIncarnation: string | null
  /** As the last `Writes.life` said; 0 at first. */
  readonly frozenUntil: number
  /** Acknowledged writes may be forgotten. */
  readonly mayForget: boolean
}

/** The rows that a join needs. */
export interface JoinRows {
  /** The highest epoch given so far; 0 at first. */
  readonly lastEpoch: number
  /** The calling process, for `OwnerRow.process`; null when it is unknown. */
  readonly process: string | null
}

/** The rows that an exchange needs. */
export interface ExchangeRows {
  /** The row of `batch.epoch`; undefined when it is not known. */
  readonly owner: OwnerRow | undefined
  /** The row of each entry of the batch, by index; null for a void entry. May be empty when `needsRows` of `standing.ts` is false. */
  readonly entries: readonly (EntryRows | null)[]
  /** Each reservation that a take, or one of the first `changesMax` changes, of the batch names by one of its budgets' keys and the id, once. Absent: none. */
  readonly reservations?: readonly ReservationRow[]
  /**
   * How many of the first changes can be applied: where the reservations that they name reach `CHANGED_SOURCES_MAX`, the others are not loaded. At least 1
   * where there are changes. Absent: all.
   */
  readonly changesMax?: number
  /** Those of them that cannot be read, under the name that the batch gives. Absent: none. */
  readonly damagedReservations?: readonly DamagedReservation[]
  /**
   * T1: of those reservations, by the names of all their budgets, and of the names that the batch gives: settlements that users' own transactions have
   * written, in the order of their numbers, committed before the time. Absent: none.
   */
  readonly intents?: readonly SettleIntent[]
  /** The rows that their units came from: those that no entry names. Absent: none. */
  readonly sources?: readonly SourceRows[]
  /** Rows leased by this epoch with `wantedUntil` after the time, also rows outside the batch: at most {@link WANTED_ROWS_MAX} of those. */
  readonly wanted: readonly RowName[]
}

/** A reservation that cannot be read: what names it is answered `damaged`, and all others go on (S6). */
export interface DamagedReservation {
  readonly key: string
  readonly id: string
  readonly detail: string
}

/** The most rows that one answer names as wanted; the next answer names the rest. */
export const WANTED_ROWS_MAX = 1_000

/** A row that units of a reservation came from. */
export interface SourceRows {
  readonly key: string
  /** Null for a counter. */
  readonly period: number | null
  /** `mintedBefore` is not needed. */
  readonly rows: EntryRows
}

/** The rows that a sweep needs. */
export interface SweepRows {
  /** Reservations whose `sweepAtOf` is the time or before, or which have an intent, without those that cannot be read. */
  readonly due: readonly ReservationRow[]
  /**
   * T1: settlements of the reservations in `due`, all of each, and those that nothing is remembered for; mints whose row is there. In the order of their
   * numbers. Absent: none.
   */
  readonly intents?: readonly Intent[]
  /** Every row that their units came from, and those that mints go to. Leases are all of other epochs. */
  readonly sources: readonly SourceRows[]
}

/** P6: what there is of one key. */
export interface DeletionRows {
  /** Reservations of the key, without those that cannot be read. */
  readonly reservations: readonly ReservationRow[]
  /** Every row that their units came from. Leases are all of other epochs. */
  readonly sources: readonly SourceRows[]
  /** The budget rows, the earliest first, also those that cannot be read. */
  readonly budgets: readonly RowName[]
  /** Every lease on them. */
  readonly leases: readonly LeaseRow[]
  readonly mints: readonly MintName[]
  /** There are more reservations than were loaded, or some were made while the load waited for its locks: the rows stay for now. */
  readonly hasMoreReservations: boolean
  /** Fewer than a load has were there when it began: more were made since. Absent where a load waits for nothing. */
  readonly wereMadeSince?: boolean
  /** There are more rows than `max`: the ids of mints stay for now. */
  readonly hasMoreBudgets: boolean
  readonly hasMoreMints: boolean
}

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
  /** Units minted before under the id of the entry's mint; undefined when there are none. */
  readonly mintedBefore: number | undefined
  /**
   * P2, only where there is no row and the entry has a policy with windows: of the key's row with the latest earlier period, where there is one. It
   * may be left out where its version is not above the policy's.
   */
  readonly earlier?: EarlierTerms | undefined
  /**
   * P6: this epoch's lease was deleted together with its row, and the epoch has not heard of it (`Deletion.leases`); or the entry claims to know a row that
   * is not there, of a key that was deleted at `deletedKeysFrom` the time or later. Absent: neither.
   */
  readonly isDeleted?: boolean
}

/** What a row of a key hands on to its next period. */
export type EarlierTerms = Pick<BudgetRow, 'limit' | 'burnMax' | 'version' | 'period' | 'endsAt'>

export interface LoadedCounter {
  readonly kind: 'counter'
  /** 0 where there is none. */
  readonly value: number
}

/** The row exists and cannot be read: the exchange is answered `breach`, which names it (S6). */
export interface DamagedRow {
  readonly kind: 'damaged'
  readonly detail: string
}

/** The bounds of one upkeep. */
export interface UpkeepBounds {
  /** The most leases that are burned. */
  readonly leasesMax: number
  /** The most budget rows that are removed, and the most owners that are forgotten. */
  readonly rowsMax: number
  /** Closed owners that ended longer ago than this are forgotten, in ms. */
  readonly ownersKeptMs: number
}

/** The rows that upkeep needs. */
export interface UpkeepRows {
  /** Every owner whose epoch is open. */
  readonly open: readonly OpenOwner[]
  /** Closed epochs that may still have leases. */
  readonly burning: readonly number[]
  /** Leases of the closed epochs, each with its budget row; at most `leasesMax`. */
  readonly ended: readonly EndedLease[]
  /** Rows without a lease, and with nothing reserved, whose `keepUntil` is before `pruneTimeOf` the time; at most `rowsMax`. */
  readonly prunable: readonly PrunableRow[]
  /** The earliest `keepUntil` of the other rows; null when none has one. Rows whose time is past, but which have a lease, may be left out. */
  readonly nextPrunableAt: number | null
  /** Closed epochs without a lease that ended longer ago than `ownersKeptMs` before `pruneTimeOf` the time; at most `rowsMax`. */
  readonly forgettable: readonly number[]
  /** The earliest `sweepAtOf` of all reservations, also one that has passed; 0 where an intent can be applied; null when there is none. */
  readonly nextSweepAt: number | null
  /** As the last `Writes.leap` said; `NO_LEAP` at first. */
  readonly leap: Leap
}

export interface OpenOwner {
  readonly owner: OwnerRow
  /** Its process is known to be dead (S8). */
  readonly isGone: boolean
  /** It holds units: there is something to burn. */
  readonly hasLeases: boolean
}

export interface EndedLease {
  readonly lease: LeaseRow
  /** Undefined where there is none; null when it, or the lease, cannot be read. */
  readonly row: BudgetRow | undefined | null
}
