import type { Outcome } from './exchange.ts'
import type { OnExpire, Remember, ReservationState } from './reservations/messages.ts'

/* The rows that a store keeps (protocol.md section 1). Plain data; times are store time in ms since 1970. */

/** One epoch of one engine. */
export interface OwnerRow {
  readonly epoch: number
  /** A random text. A store that was restored from a backup gives epochs out again, but no token. */
  readonly token: string
  /** A label of the process, for display. */
  readonly label: string
  readonly state: 'open' | 'closed'
  /** The last seq that was applied; 0 at first. */
  readonly seq: number
  /** The part of that seq's outcome that is not in the rows. */
  readonly outcome: Outcome
  /** Store time of its last transaction. */
  readonly seenAt: number
  /** Reaped when store time passes this. */
  readonly expiresAt: number
  /** How long the epoch lives after each exchange, in ms. */
  readonly leaseTtlMs: number
  /** The process, where it is known: a dead one is reaped at once (S8). Opaque here. */
  readonly process: string | null
}

/** `minted = used + reserved + pool + burned + sum(held)` */
export interface BudgetRow {
  readonly key: string
  readonly period: number
  readonly kind: 'initial' | 'window'
  readonly minted: number
  readonly used: number
  /** Set aside by reservations that are open, or that expired and keep their units. */
  readonly reserved: number
  /** Negative after a limit was lowered below what is used and leased. */
  readonly pool: number
  readonly burned: number
  readonly limit: number
  readonly burnMax: number
  readonly version: number
  /** How often the row was reset (P5): what was used before cannot be given back by an id any more. */
  readonly resets: number
  readonly wantedUntil: number
  readonly endsAt: number | null
  readonly keepUntil: number | null
}

export interface LeaseRow {
  readonly key: string
  readonly period: number
  readonly epoch: number
  /** Above 0 while the row exists. */
  readonly held: number
}

/**
 * What is remembered of one request under (key, id), for each of its budgets (R1, I1). Its `lots` settle by themselves; all of them are forgotten together.
 */
export interface ReservationRow {
  /** Of its first budget. The store finds the row by the key of each. */
  readonly key: string
  readonly id: string
  readonly as: Remember['as']
  /** What was asked for, as a text: another request is another text. */
  readonly request: string
  readonly onExpire: OnExpire
  readonly lots: readonly ReservationLot[]
}

/** Budgets that are settled, extended, expired and refunded together: one, or those of a waterfall. */
export interface ReservationLot {
  /** The total that was asked for, or extended to since. */
  readonly units: number
  /** Used beyond what the budgets had. */
  readonly uncovered: number
  readonly state: ReservationState
  /** Of an admission 0. */
  readonly expiresAt: number
  /** It may be forgotten from then on; null while it is open. */
  readonly keepUntil: number | null
  readonly sources: readonly ReservationSource[]
}

export interface ReservationSource {
  readonly key: string
  /** Null for a counter, which names no reservation. */
  readonly period: number | null
  /** Units taken from it: part of `reserved` of its row until the lot is final, then of `used`; of a counter, part of its value. */
  readonly charged: number
  /** Units given back by the id; null before that. */
  readonly refunded: number | null
  /** `resets` of the row when its units became used. */
  readonly resets: number
}

/** Units minted once under an id, for ever. */
export interface MintRow {
  readonly key: string
  readonly id: string
  readonly units: number
}

export interface CounterRow {
  readonly key: string
  /** Any safe integer. */
  readonly value: number
}

/** The last leap of store time (S8, S10). All times are store time, ms since 1970; all 0 when there was none. */
export interface Leap {
  readonly from: number
  readonly at: number
  /** Nothing is removed before, except by a handle whose own clock says so: raised as long as a clock contradicts store time. */
  readonly until: number
}
