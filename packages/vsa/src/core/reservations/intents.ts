/*
 * T1: what a user's own transaction has written to be applied by the store, once. It is read by a statement of its own, behind the time of the transaction that
 * applies it, so that one which was committed before that time comes before an expiry at that time.
 */

/** A settlement. It is applied before the end of its reservation is counted, by whatever touches that (R3). */
export interface SettleIntent {
  /** Intents are applied in the order of these. */
  readonly number: number
  readonly op: 'settle'
  readonly key: string
  readonly id: string
  readonly units: number
}

/** A mint. It waits until there is a row. */
export interface MintIntent {
  readonly number: number
  readonly op: 'mint'
  readonly key: string
  readonly id: string
  readonly units: number
  /** Of the row that gets the units: the latest one of the key that has begun. */
  readonly period: number
  /** Units minted before under the id; undefined when there are none (L3). */
  readonly mintedBefore: number | undefined
}

export type Intent = SettleIntent | MintIntent

/** Why one can never be applied: nothing is remembered under the id, other units were minted under it, or minted would leave its range. */
export type DropReason = 'unknown_id' | 'id_conflict' | 'units_overflow'

/** One that was removed without an effect. */
export interface DroppedIntent extends Pick<Intent, 'number' | 'op' | 'key' | 'id' | 'units'> {
  readonly reason: DropReason
}
