import type { Clock } from './clock.ts'
import type { Answer, Batch } from './exchange.ts'
import type { IntentWriter } from './intent-writer.ts'
import type { BudgetRow, LeaseRow, OwnerRow } from './rows.ts'
import type { Caller } from './standing.ts'

/**
 * The port between an owner and a store. Every store passes `storeConformance` of `vsa/testing`.
 * Each method may reject with a `StoreError`, which says whether the call was surely not applied or may have been.
 */
export interface Store {
  readonly capabilities: StoreCapabilities
  /** Opens a new epoch. Durable on return. Opens the store itself when this is the first call. */
  join(label: string): Promise<Joined>
  /** Applies the batch exactly once, atomically and durably, however often it is sent. */
  exchange(batch: Batch): Promise<Answer>
  /**
   * One piece of upkeep (S8, S10), as before an exchange, for an owner that is quiet: rows past their retention go although no exchange is sent.
   * Absent where the store does its upkeep by itself.
   * @param caller the owner, which is alive; `seq` is the last one that was answered
   * @returns in how many ms there will be something to do, as far as is known; 0 when there is more now, null when nothing is known
   */
  upkeep?(caller: Caller): Promise<number | null>
  /**
   * P6: removes all that there is of a budget's key: rows, leases, reservations, which end unsettled, and the ids of mints. Every owner that knew a row of it
   * hears of it with its next exchange; what that one spends until then is in no account. Durable on return; may be repeated. Absent where the store cannot.
   * A store that wraps another one passes it on.
   * @returns false where there is more: call it again
   */
  delete?(key: string): Promise<boolean>
  /** The present rows, without any change; a row that does not exist is absent from the answer. */
  read(names: readonly { readonly key: string; readonly period: number }[]): Promise<readonly BudgetRow[]>
  /** One page of rows for `verify` and `inspect`, in (key, period) order; leases ride with their budget row. */
  list(range: ListRange): Promise<ListPage>
  /** Every owner row that the store still has. */
  owners(): Promise<readonly OwnerRow[]>
  /**
   * Called by `open` when it was given a clock, before any other call: a store without a source of time of its own takes the time from
   * `clock.now()`. A store that wraps another one passes the call on. @throws TypeError when the store goes by another clock already
   */
  useClock?(clock: Clock): void
  /** T1: writes what is to count with a transaction of the user's. Absent where the store cannot. A store that wraps another one passes it on. */
  readonly intents?: IntentWriter
  /** Releases connections, files and threads. A later `join` opens them again. Idempotent. */
  close(): Promise<void>
}

export interface StoreCapabilities {
  /** Entries, and runs of takes, that one exchange may carry: 1 to 1,000. */
  readonly batchMax: number
}

export interface Joined {
  /** The fencing token: higher than every epoch that the store knows of. */
  readonly epoch: number
  /** A random text that each batch of this epoch repeats. */
  readonly token: string
  /** Changes when acknowledged writes may have been forgotten. Each batch of this epoch repeats it (F1). */
  readonly incarnation: string
  /**
   * Acknowledged writes may be forgotten (asynchronous replicas, Redis without `appendfsync always`): the owner then remembers for one lease lifetime
   * what it was answered, and restates it after the loss (F4 to F9).
   */
  readonly mayForget: boolean
  /** F3: no lease grows and no take is granted before this store time; 0: not frozen. */
  readonly frozenUntil: number
  /** Store time, ms since 1970. */
  readonly time: number
  /** The epoch is reaped this long after its last exchange, in ms. */
  readonly leaseTtlMs: number
  /** As `Store.upkeep` answers it. Absent or null: nothing is known. */
  readonly upkeepDueInMs?: number | null
}

export interface ListRange {
  /** Only this key, all its periods. */
  readonly key?: string
  /** Continue behind this row. */
  readonly after?: { readonly key: string; readonly period: number }
  /** Rows at most, 1 to 10,000. */
  readonly limit: number
}

export interface ListPage {
  readonly rows: readonly ListedRow[]
}

/** A budget row with every lease on it, as the trial balance needs it. */
export interface ListedRow {
  readonly budget: BudgetRow
  readonly leases: readonly LeaseRow[]
}
