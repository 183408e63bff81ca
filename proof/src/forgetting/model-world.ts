import type { Answer, BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type { Writes } from '../../../packages/vsa/dist/core/written-rows.js'
import type { SessionRecord } from '../../../packages/vsa/dist/engine/session/state-machine.js'

/* The state of the model of a store that forgets. A step copies what it changes. */

/** One owner, with what it was answered of the one row. */
export interface ModelOwner {
  readonly session: SessionRecord
  readonly held: number
  /** Spent since the last send. */
  readonly since: number
  /** Batches of its own choice that it may still begin. */
  readonly sends: number
  /** Units that it still has to give back through the store. */
  readonly owed: number
  /** How often it may still send what it owes by itself. */
  readonly offers: number
  /** What it remembers of the row; null when nothing. */
  readonly gone: number | null
  readonly isDue: boolean
  /** The incarnation that it joined last; null before the first join. */
  readonly incarnation: string | null
  /** How often the batch in flight has reached the store. */
  readonly deliveries: number
  /** What the store answered to it, and in which incarnation. */
  readonly answer: { readonly answer: Answer; readonly incarnation: string } | null
}

export interface ModelState {
  /** Every transaction that the store has. */
  readonly saved: readonly Writes[]
  readonly incarnation: number
  /** Store time. It passes in one step: to the end of a freeze. */
  readonly time: number
  readonly owners: readonly [ModelOwner, ModelOwner]
  /** Less what was given back, from the call on. */
  readonly admitted: number
  readonly joins: number
  readonly losses: number
}

/** What may happen at most. */
export interface ModelBounds {
  readonly limit: number
  /** What each owner may ask for. */
  readonly asks: readonly [readonly Ask[], readonly Ask[]]
  readonly sends: readonly [number, number]
  readonly joins: number
  readonly losses: number
  /** Transactions that one loss takes at most. */
  readonly depth: number
  /** How often the batch of each owner reaches the store at most. */
  readonly deliveries: readonly [number, number]
  /** Owners that are alive may be taken for dead. */
  readonly reaps: boolean
  /** The steps that come first, by their texts. */
  readonly begun: readonly string[]
}

/** `refund`: of units that either owner has admitted. */
export type Ask = Pick<BudgetEntry, 'hold' | 'refund'> & { readonly take: number }
