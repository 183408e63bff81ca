import type { Admitted, Denied } from '../../core/decision.ts'
import type { UserTransaction } from '../../core/intent-writer.ts'

/**
 * Units that are set aside until it is known what was used of them. Without an id, in this process: they count as spent until they are settled, and
 * after a crash for good; one that is never settled keeps all of them spent. With an id, in the store, until its `ttlMs` has passed.
 */
export interface Reservation {
  /** Of a reservation that the store keeps. */
  readonly id?: string
  /** What was reserved, `extend` included, as far as this process knows. */
  readonly units: number
  /** As of the last answer. `expired`: its time has passed, and it can still be settled, once. `unknown`: not asked yet, or not known to the store. */
  readonly state: 'open' | 'expired' | 'settled' | 'unknown'
  /**
   * The units that it was made with are in no account: it was made under `onStoreUnavailable: 'allow'`, or on trial (`shadow`), and a decision would say
   * `unaccounted`, or `shadow`. Settling it charges nothing for them and gives nothing back; what was used beyond them is charged as of any other.
   * Absent of every other one, and of one that was made by another process.
   */
  readonly unaccounted?: true | undefined
  /** Counts units (default 1) as used, in memory. True while the reservation covers them all, false also once it is settled. */
  meter(units?: number): boolean
  /**
   * Ends it with your own transaction, of a reservation with an id, on Postgres: inserts one row through `db`, and does nothing else. Resolves when the
   * row is there; it is durable, and counts, when your transaction has been committed. After a rollback nothing has happened. Until it is applied (by the
   * next upkeep of any process, and before the reservation ends or is settled otherwise) the units stay reserved, and `state` stays as it is.
   * `actual`: as below; undefined: what was metered. Also after `close`.
   * @throws what `db` throws; TypeError for a reservation without an id; VsaError `intents_unsupported` where the store is not Postgres
   */
  settle(actual: number | undefined, options: InTransaction): Promise<PendingIntent>
  /**
   * Ends it: of what was reserved, `actual` units (default: what was metered) stay spent, and the rest goes back as with `refund`. What was used
   * beyond it is taken from the budget as it is now, as far as there is something; without an id within two deadlines of the engine for each budget. Again: the first outcome.
   * With an id: durable on return, by any process, and the first one that settles it wins. @throws VsaError as `admit`, where the store is asked and does not answer: it may be settled
   * again then; `reservation_unknown`; as `refund` otherwise
   */
  settle(actual?: number): Promise<Settled>
  /** `settle(0, { db })`. */
  cancel(options: InTransaction): Promise<PendingIntent>
  /** `settle(0)`. */
  cancel(): Promise<Settled>
  /** Reserves more, or for longer, all or nothing. False: the units are not there, or it is not open any more. What is not above what it has changes nothing. */
  extend(to: Extension): Promise<boolean>
}

/**
 * What `decideReserve` and `decideReserveFirst` answer: what `decide` does, and the reservation, where it was made. What it does not use goes back when it is
 * settled: `refund` refuses this record. `repeated`: it had been made before, under its id, and nothing was set aside now.
 */
export type ReserveDecision =
  | (Admitted & { readonly reservation: Reservation })
  | (Denied & { readonly reservation?: undefined })

/** What `decideReserveAll` answers: what `decideAll` does, and one reservation for each need. */
export type ReserveAllDecision =
  | (Admitted & { readonly reservations: readonly Reservation[] })
  | (Denied & { readonly reservations?: undefined })

export interface Extension {
  /** The new total. */
  readonly units?: number
  /** With an id: it ends so many ms from now where that is later, 1 to 34,560,000,000 (400 days). */
  readonly ttlMs?: number
}

export interface Settled {
  /** Units that stay spent. Of an `unaccounted` one: that were used of it, though nothing is spent. */
  readonly settled: number
  /** Units that were used, and that the budget did not have: it was not charged for them. Also in `stats().uncoveredUnits`. */
  readonly uncovered: number
  /** It had been settled before, and this is the outcome of then. */
  readonly repeated: boolean
}

/** Of a call that is to count with your own transaction (T1). */
export interface InTransaction {
  /** Your open transaction, on the database of the store: made by `fromPg`, `fromKysely`, `fromDrizzle`, `fromKnex` or `fromPrisma` of `vsa/postgres`. */
  readonly db: UserTransaction
}

/** It has been written into your transaction. The outcome is not known yet: once it is committed, the same call without `db` tells it. */
export interface PendingIntent {
  readonly pending: true
}
