/*
 * The part of the exchange about takes that are remembered, that have several sources, and about what became of them (policies.md sections 7 and 9a).
 * Plain JSON data, as all of it.
 */

/** What is remembered of a take, and until when. */
export interface Remember {
  /** With the keys of the budgets it names the request, for every process. 1 to 256 characters. */
  readonly id: string
  /** `reservation`: the units are set aside until they are settled. `admission`: they are used at once, and can be given back by the id. */
  readonly as: 'reservation' | 'admission'
  /** A reservation ends by itself after this long, in ms. */
  readonly ttlMs: number
  /** What becomes of its units then. */
  readonly onExpire: OnExpire
}

/** `return`: the units go back to the budget. `capture`: they stay spent. */
export type OnExpire = 'return' | 'capture'

/** A change to what was remembered under (key, id), by any process. */
export type ReservationChange =
  /** R4: once. `units` were used. */
  | { readonly op: 'settle'; readonly key: string; readonly id: string; readonly units: number }
  /** R5: to a total of units, and to the end `ttlMs` from now where that is later; all or nothing, only while it is open. */
  | { readonly op: 'extend'; readonly key: string; readonly id: string; readonly units: number; readonly ttlMs: number }
  /** I2: once, of what is final. */
  | { readonly op: 'refund'; readonly key: string; readonly id: string; readonly units: number }

/** What became of takes that are remembered or that have several sources, and of changes. */
export interface CreditOutcomes {
  /** By the index of the take. A take that was refused is absent. */
  readonly takes: Readonly<Record<number, TakeOutcome>>
  /** Of each change, in order. Those without one were not applied: their reservations have too many budgets for one exchange. They are sent again. */
  readonly changes: readonly ChangeOutcome[]
}

export type TakeOutcome =
  /** `charged`: units by need, of all that were granted. */
  | { readonly kind: 'drawn'; readonly charged: readonly number[] }
  | RememberedOutcome
  /** The id is known for another request, or for some of these budgets alone. */
  | { readonly kind: 'id_conflict' }
  /** I1: what was admitted under this id has all been given back since. */
  | { readonly kind: 'refunded' }
  /** S6: a row of what is remembered does not balance, or cannot be read. Nothing changed. */
  | { readonly kind: 'damaged'; readonly detail: string }

/** Granted, now or before. */
export interface RememberedOutcome {
  readonly kind: 'remembered'
  /** Of the part that is furthest from its end. */
  readonly state: ReservationState
  /** Where each need is settled by itself and they differ: by need. Absent: all are `state`. */
  readonly states?: readonly ReservationState[]
  /** Units by need: what each budget is charged now. */
  readonly charged: readonly number[]
  /** The total that was asked for, or extended to since. */
  readonly units: number
  /** Of a reservation: store time of its end, ms since 1970. */
  readonly expiresAt: number
  readonly repeated: boolean
}

export type ChangeOutcome =
  | { readonly kind: 'settled'; readonly settled: number; readonly uncovered: number; readonly repeated: boolean }
  | { readonly kind: 'extended'; readonly units: number; readonly expiresAt: number }
  /** The units are not there. Nothing changed. */
  | { readonly kind: 'refused' }
  /** It cannot be extended any more. */
  | { readonly kind: 'not_open'; readonly state: ReservationState }
  | { readonly kind: 'refunded'; readonly units: number; readonly repeated: boolean }
  /** It can be settled, and not given back. */
  | { readonly kind: 'not_final'; readonly state: ReservationState }
  /** Nothing is known under the id. */
  | { readonly kind: 'unknown' }
  /** S6: a row of it does not balance, or cannot be read. Nothing changed. */
  | { readonly kind: 'damaged'; readonly detail: string }

/** `expired`: its time has passed, and it may still be settled, once. `final`: settled, or admitted. */
export type ReservationState = 'open' | 'expired' | 'final'
