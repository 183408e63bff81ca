import type { RowName } from './exchange.ts'
import type { CounterRow, OwnerRow, ReservationRow } from './rows.ts'
import type { ListedRow } from './store.ts'

/** A budget row with every lease on it, of one moment. */
export interface InspectedRow extends ListedRow {
  /**
   * R2: units that the open and expired reservations of the row have charged it with, of the same moment as the row; they must be its `reserved`. Absent:
   * the store does not add them up.
   */
  readonly charged?: number
  /** What is wrong with the row beside its trial balance, such as sums that are kept on it and are not those of its leases. Absent: nothing. */
  readonly faults?: readonly string[]
}

/** A row with a value that no store writes: another program, or a damaged disk, has changed it. */
export interface UnreadableRow extends RowName {
  /** What was found there. */
  readonly detail: string
}

/** A reservation that cannot be read. */
export interface UnreadableReservation {
  readonly key: string
  readonly id: string
  /** What was found there. */
  readonly detail: string
}

/** One page of reservations. */
export interface ReservationPage {
  readonly rows: readonly ReservationRow[]
  readonly unreadable: readonly UnreadableReservation[]
}

/** One page of budget rows. Both lists are in (key, period) order. */
export interface InspectedPage {
  readonly rows: readonly InspectedRow[]
  readonly unreadable: readonly UnreadableRow[]
}

/**
 * The rows of a store as `verify` and `inspect` read them: nothing is written, and owners may go on. Whether all pages are of one moment depends on the
 * store; a row and its leases are. Every method but `close` may reject with a `StoreError`.
 */
export interface Inspection {
  /** Every budget row, or every period of one key, in (key, period) order and bounded pages. One row that cannot be read does not hide the others. */
  pages(key?: string): AsyncIterable<InspectedPage>
  /** Every owner row, oldest first. @throws InvariantError or SyntaxError when one cannot be read */
  owners(): Promise<readonly OwnerRow[]>
  /** Every counter, in order of their keys and in bounded pages. @throws InvariantError when one cannot be read */
  counterPages(): AsyncIterable<readonly CounterRow[]>
  /**
   * Every reservation once, or those that one key names: of any of its budgets, and in any state. In bounded pages and in no certain order. One that
   * cannot be read does not hide the others.
   */
  reservationPages(key?: string): AsyncIterable<ReservationPage>
  /**
   * What is wrong with the store beside its rows.
   * @returns at most 100 findings; empty when it is sound
   */
  integrity(): Promise<readonly string[]>
  /**
   * Text that no client may read. When there is any, rows must not be read: a client may end the process.
   * @returns one finding a column; empty when every text can be read
   */
  textDamage(): Promise<readonly string[]>
  /** Idempotent. */
  close(): Promise<void>
}
