import type { Answer, Batch } from '../../../packages/vsa/dist/core/exchange.js'
import type { BudgetRow, OwnerRow } from '../../../packages/vsa/dist/core/rows.js'
import type { SessionRecord } from '../../../packages/vsa/dist/engine/session/state-machine.js'
import type { Memo } from './memo.ts'

/** One state of the model: immutable plain data. */
export interface World {
  readonly books: Books
  readonly owners: readonly Owner[]
  readonly network: readonly Message[]
  /** By row: answers to callers and minted units, counted by the model alone. */
  readonly counts: readonly Count[]
  /** How often the store's clock was set back. */
  readonly jumps: number
}

export interface Count {
  /** A(t): units admitted and not refunded; a refund counts once it has lowered a delta or the store has applied it. */
  readonly admitted: number
  /** B(t): units created so far. */
  readonly minted: number
  /** Units for which the mint id was used; null before. */
  readonly mint: number | null
  /** Callers that were answered that their mint created the units. */
  readonly mintsTold: number
}

/** What the store keeps. */
export interface Books {
  /** The store's clock, ms. */
  readonly wall: number
  /** The latest time that the store has kept. */
  readonly timeSeen: number
  readonly epochsGiven: number
  /** By row; null where there is none. */
  readonly rows: readonly (BudgetRow | null)[]
  /** The units recorded in the store for the one mint id. */
  readonly mint: number | null
  readonly epochs: readonly Epoch[]
  readonly memo: Memo
}

export interface Epoch {
  readonly epoch: number
  /** Null once the store has forgotten it. */
  readonly owner: OwnerRow | null
  /** By row, units. */
  readonly held: readonly number[]
  /** The model's own record of what the store did for this epoch. */
  readonly record: EpochRecord
}

/** The last batch of an epoch that was applied, as seen when it was applied for the first time. */
export interface EpochRecord {
  /** 0 before the first. */
  readonly seq: number
  /** By run of takes, requests granted. */
  readonly granted: readonly number[]
  /** By entry, units. */
  readonly refunded: readonly number[]
  readonly closed: boolean
  /** Store time of the epoch's last exchange. It must not be reaped before this plus its lifetime. */
  readonly heardAt: number
}

/** One owner's memory. */
export interface Owner {
  readonly session: SessionRecord
  readonly closing: boolean
  readonly leases: readonly LeaseState[]
  /** Durable requests that wait, or that timed out while their batch is in flight. */
  readonly requests: readonly Request[]
  readonly cargo: Cargo | null
  readonly memo: Memo
}

export interface LeaseState {
  readonly held: number
  readonly base: number
  readonly left: number
  readonly sent: { readonly spent: number; readonly hold: number; readonly refund: number } | null
  readonly refund: number
  readonly known: boolean
  readonly mint: { readonly units: number; readonly sent: boolean } | null
  /** The model's count: units admitted since the last send, less refunds since then. */
  readonly unsent: number
  /** The model's count: refunded units that wait for the store. */
  readonly owed: number
}

export interface Request {
  /** By row, units. */
  readonly needs: readonly number[]
  /** Queued for the next batch, spent from the lease and waiting to be durable, or a take in flight. */
  readonly place: 'queued' | 'confirming' | 'confirming_sent' | 'sent'
  /** The caller has already been answered with a timeout. */
  readonly told: boolean
}

/** The rows and requests of the batch in flight. */
export interface Cargo {
  /** By entry, which row. */
  readonly rows: readonly number[]
  /** By run of takes, which of the owner's requests. */
  readonly runs: readonly (readonly number[])[]
}

export type Message = RequestMessage | AnswerMessage | JoinedMessage

export interface RequestMessage {
  readonly kind: 'request'
  readonly batch: Batch
  readonly memo: Memo
}

export interface AnswerMessage {
  readonly kind: 'answer'
  readonly to: number
  readonly batch: Batch
  readonly answer: Answer
  readonly memo: Memo
}

interface JoinedMessage {
  readonly kind: 'joined'
  readonly to: number
  readonly epoch: number
}
