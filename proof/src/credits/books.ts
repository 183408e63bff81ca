/* What a store keeps for durable admissions and reservations, and the messages that change it. Integers only. */

/** One budget. L2': minted = used + reserved + pool + burned + what epochs hold. */
export interface CreditRow {
  minted: number
  used: number
  /** R2: what open and expired reservations are charged. */
  reserved: number
  /** Negative after a limit was lowered. */
  pool: number
  burned: number
  /** How often `used` was set to 0 (P5). */
  resets: number
  /** By epoch. */
  held: readonly number[]
}

/** One per (key, id). The rows of one `list` are settled, expired and refunded together. */
export interface ReservationRow {
  readonly key: string
  readonly id: string
  /** What was asked for: operation, form, keys in order, units. Another request under this id is an `id_conflict`. */
  readonly request: string
  /** All keys of the request. It is forgotten whole. */
  readonly keys: readonly string[]
  /** The keys that are settled together, in the order of the request. Of `all`, each key by itself. */
  readonly list: readonly string[]
  /** Of the whole list: asked for, or extended to. */
  readonly units: number
  /** Of this key. A final one keeps it: it answers repeats, and bounds the refund. */
  readonly charged: number
  readonly uncovered: number
  /** Given back by the refund with this id; null before it. */
  readonly refunded: number | null
  /** `resets` of the budget when `charged` became used. */
  readonly resets: number
  readonly state: 'open' | 'expired' | 'final'
  readonly onExpire: OnExpire
  readonly expiresAt: number
  /** When it may be forgotten (R6). Infinity while it is open. */
  readonly keepUntil: number
}

export type OnExpire = 'return' | 'capture'

/** T1: one row that the user's own transaction inserts. `number` is its primary key: nothing else of it is unique. */
export interface Intent {
  readonly number: number
  readonly key: string
  readonly id: string
  readonly op: 'settle' | 'mint'
  readonly units: number
}

/** What became of an intent. */
export interface AppliedIntent {
  readonly intent: Intent
  readonly answer: CreditAnswer
}

export interface Epoch {
  readonly isOpen: boolean
  readonly seq: number
  readonly outcome: readonly CreditAnswer[]
}

export interface Books {
  time: number
  readonly rows: Map<string, CreditRow>
  /** V3: sources that never refuse. What is reserved of one is in its value at once. */
  readonly counters: Map<string, number>
  /** By `key id`. */
  readonly reservations: Map<string, ReservationRow>
  /** By `key id`, for ever. */
  readonly mints: Map<string, number>
  /** Of committed transactions, by number. */
  intents: readonly Intent[]
  /** Numbers of the intents that were applied or dropped: events for users, and for the laws. */
  applied: readonly AppliedIntent[]
  epochs: readonly Epoch[]
}

/** I1, R1, V1. `all` takes units[i] from keys[i]; `first` takes units[0] from the keys in order. */
export interface AskOp {
  readonly kind: 'admit' | 'reserve'
  readonly id: string
  readonly form: 'all' | 'first'
  readonly keys: readonly string[]
  readonly units: readonly number[]
  readonly ttl: number
  readonly onExpire: OnExpire
}

export type CreditOp =
  | AskOp
  /** V1 without an id: a take that nothing remembers. */
  | { readonly kind: 'take'; readonly keys: readonly string[]; readonly units: number }
  | { readonly kind: 'settle'; readonly key: string; readonly id: string; readonly units: number }
  | { readonly kind: 'extend'; readonly key: string; readonly id: string; readonly units: number; readonly ttl: number }
  | { readonly kind: 'refund'; readonly key: string; readonly id: string; readonly units: number }
  | { readonly kind: 'mint'; readonly key: string; readonly id: string; readonly units: number }
  /** A refund without an id (O4). */
  | { readonly kind: 'give back'; readonly key: string; readonly units: number }
  /** The spending of a lease, which is returned. */
  | { readonly kind: 'flush'; readonly key: string; readonly spent: number }

/** `shares` and `back` are by key, in the order of the list. */
export type CreditAnswer =
  | {
      readonly kind: 'granted'
      readonly shares: readonly number[]
      readonly state: ReservationRow['state']
      readonly repeated: boolean
    }
  | {
      readonly kind: 'settled'
      readonly shares: readonly number[]
      readonly uncovered: number
      readonly repeated: boolean
    }
  | { readonly kind: 'refunded'; readonly back: readonly number[]; readonly repeated: boolean }
  | { readonly kind: 'done'; readonly units: number }
  | { readonly kind: 'refused' | 'given back before' | 'id_conflict' | 'unknown' | 'not final' | 'not open' | 'no row' }

export interface CreditBatch {
  readonly epoch: number
  readonly seq: number
  readonly ops: readonly CreditOp[]
}

/** S2 */
export type ExchangeAnswer =
  | { readonly kind: 'applied'; readonly outcome: readonly CreditAnswer[]; readonly isReplay: boolean }
  | { readonly kind: 'fenced'; readonly seq: number; readonly outcome: readonly CreditAnswer[] }
  | { readonly kind: 'stale' }

export function copyOf(books: Books): Books {
  return {
    ...books,
    rows: new Map([...books.rows].map(([key, row]) => [key, { ...row }])),
    counters: new Map(books.counters),
    reservations: new Map(books.reservations),
    mints: new Map(books.mints),
  }
}

/** Names a row of `reservations` or `mints`. */
export function nameOf(key: string, id: string): string {
  return `${key} ${id}`
}

export function sum(units: readonly number[]): number {
  return units.reduce((all, one) => all + one, 0)
}
