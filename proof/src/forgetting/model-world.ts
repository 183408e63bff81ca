import type { Answer, BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type { Writes } from '../../../packages/vsa/dist/core/adapter.js'
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
  readonly admitted: number
  readonly joins: number
  readonly losses: number
}

/** What may happen at most. */
export interface ModelBounds {
  readonly limit: number
  /** What an owner may ask for. */
  readonly asks: readonly Ask[]
  readonly sends: number
  readonly joins: number
  readonly losses: number
  /** Transactions that one loss takes at most. */
  readonly depth: number
}

export type Ask = Pick<BudgetEntry, 'hold'> & { readonly take: number }
