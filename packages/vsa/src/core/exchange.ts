/**
 * The one call between owner and store: the batch and its answer (protocol.md section 2).
 * All of it is plain JSON data, so that a store may send it over any connection.
 */

import type { CreditOutcomes, Remember, ReservationChange } from './reservations/messages.ts'

/** At most this many entries in one batch, and this many runs of takes. */
export const BATCH_ENTRIES_MAX = 1_000

/** The request of an owner, applied completely or not at all, exactly once per `(epoch, seq)`. */
export interface Batch {
  /** The fencing token that `join` gave. */
  readonly epoch: number
  /** As `join` gave it: the same epoch under another token is another owner's (S2). */
  readonly token: string
  /** As `join` gave it: a store that has forgotten writes since is in another one, and applies nothing (F1). */
  readonly incarnation: string
  /** 1 for the first batch of an epoch, then one more each time. A repeat after an uncertain answer has the same seq. */
  readonly seq: number
  /** At most {@link BATCH_ENTRIES_MAX}; no two for the same row. */
  readonly entries: readonly Entry[]
  /** Durable admissions in arrival order; at most {@link BATCH_ENTRIES_MAX} runs. */
  readonly takes: readonly Take[]
  /** Changes to reservations that were made before, in order; applied before the takes. At most {@link BATCH_ENTRIES_MAX}. Absent: none. */
  readonly changes?: readonly ReservationChange[]
  /** Settle, return and close the epoch with this batch (S9). */
  readonly close: boolean
}

export type Entry = BudgetEntry | CounterEntry | VoidEntry

/** Changes to one budget row. */
export interface BudgetEntry {
  readonly kind: 'budget'
  readonly key: string
  /** The start of the period that the row belongs to, ms since 1970; 0 for a budget without windows. */
  readonly period: number
  /** This owner has seen the row before: it must exist (S4). */
  readonly known: boolean
  /** Creates the row on first sight, or changes its limit by a higher version. Absent when the store has it already. */
  readonly policy?: RowPolicy
  /** Net units spent from the lease since the last exchange was sent; never negative. */
  readonly spent: number
  /** Units to return to the pool. The answer reports how many were accepted. */
  readonly refund: number
  readonly mint?: Mint
  /** P5: what is used and burned goes back into the pool, after all other parts of the entry. */
  readonly reset?: true
  /**
   * Only after a store has forgotten writes (F5): `minted - pool` of the row, as this owner was last answered. What the store lacks of it is burned:
   * those units may have been admitted.
   */
  readonly gone?: number
  /** The lease wanted after this exchange, in units. */
  readonly hold: number
  /** Marks the row as wanted for this many ms of store time; 0 leaves it alone (O12). */
  readonly wantMs: number
}

/** Adds to a counter. `add` 0 only reads. */
export interface CounterEntry {
  readonly kind: 'counter'
  readonly key: string
  /** Any safe integer. */
  readonly add: number
}

/** Replaces a quarantined entry, so that a replayed answer still matches by index (S6). */
export interface VoidEntry {
  readonly kind: 'void'
}

/** The part of a policy that a row of the store needs. */
export interface RowPolicy {
  /** `initial` only ever creates; `window` may be changed by a higher version. */
  readonly kind: 'initial' | 'window'
  /** Units minted at creation. */
  readonly limit: number
  /** No lease grows once this many units of the row have burned (S5). */
  readonly burnMax: number
  /** The first epoch of the process that declared the policy. The highest wins. */
  readonly version: number
  /** The end of the period, ms since 1970; null for a budget without windows. */
  readonly endsAt: number | null
  /** The row may be removed once store time is past this and it has no lease (S10); null keeps it for ever. */
  readonly keepUntil: number | null
}

/** Creates units once per `(key, id)`, for ever. */
export interface Mint {
  readonly units: number
  readonly id: string
}

/** `n` equal durable admissions. Each is granted over all its entries or not at all. */
export interface Take {
  /** `[index into entries, cost]`: distinct entries, each a budget, each cost at least 1. */
  readonly need: readonly (readonly [entry: number, cost: number])[]
  readonly n: number
  /**
   * V1: a waterfall. All costs are the same, the units of one request: each entry gives what it has, in order, until they are covered. The last entry
   * may be a counter, which never lacks.
   */
  readonly first?: true
  /** R1, I1: the store remembers what becomes of it, once for each id. Then `n` is 1. */
  readonly remember?: Remember
}

/** The store's answer to a batch. Times are store time in ms since 1970. */
export type Answer = AppliedAnswer | FencedAnswer | RefusedAnswer

export interface AppliedAnswer {
  /** `replayed`: this seq had been applied before, and nothing was applied now. */
  readonly kind: 'applied' | 'replayed'
  readonly time: number
  /** The epoch is reaped when store time passes this without another exchange. */
  readonly expiresAt: number
  /** One for each entry, in order, absolute values as of now. */
  readonly entries: readonly EntryAnswer[]
  /** How many of each run of takes were granted now: 0 for one that was remembered before. */
  readonly granted: readonly number[]
  readonly credits?: CreditOutcomes
  /** Rows leased by this epoch that are marked as wanted, also those not in the batch (O12). */
  readonly wanted: readonly RowName[]
  readonly written: Written
  /** F3: the store has forgotten writes, and grants no lease and no take before this store time; 0: it grants. */
  readonly frozenUntil: number
  /** F4: acknowledged writes may be forgotten from now on, though the join said that they may not. Absent: as the join said. */
  readonly mayForget?: boolean
}

/** The epoch has ended. Nothing was applied now. */
export interface FencedAnswer {
  readonly kind: 'fenced'
  readonly time: number
  /** The last applied seq, with the part of its outcome that is not in the rows; null when the store has forgotten it. */
  readonly last: { readonly seq: number; readonly outcome: Outcome } | null
  /**
   * The store does not know the epoch, or knows it under another token, or the batch is of another incarnation (F2). Within the 7 days that ended
   * owners are kept, it has lost writes: it was restored from a backup, for example, or a replica took over.
   */
  readonly forgot: boolean
  /**
   * F7: `minted - pool` of the row of each entry, as of now; null where there is none, and where it was not looked at. Told by a store that may
   * forget, where this batch is the last one that was applied.
   */
  readonly gone: readonly (number | null)[]
}

/** Nothing was applied. `stale`: an older seq. `lost`: the seq has a gap, so the store has lost writes. */
export interface RefusedAnswer {
  readonly kind: 'stale' | 'lost' | 'breach'
  readonly time: number
  /** For `breach`: the row that would not balance, or cannot be read (S6). */
  readonly row?: BreachedRow
  /** For `breach`: the fault, for the log. */
  readonly detail?: string
}

/** A budget row, or with `isCounter` a counter, whose `period` is 0. */
export interface BreachedRow extends RowName {
  readonly isCounter?: true
}

/** Names one budget row: its key and the start of its period. */
export interface RowName {
  readonly key: string
  readonly period: number
}

export type EntryAnswer = BudgetAnswer | CounterAnswer | RemovedAnswer | NoRowAnswer

/** A budget row after the exchange, absolute values. */
export interface BudgetAnswer {
  readonly kind: 'budget'
  /** This epoch's lease. */
  readonly held: number
  /** May be negative after a limit was lowered. */
  readonly pool: number
  readonly used: number
  readonly burned: number
  readonly minted: number
  /** Units set aside by reservations; absent: 0. */
  readonly reserved?: number
  readonly limit: number
  readonly version: number
  /** How many other epochs hold a lease on the row, and how many units together. */
  readonly others: number
  readonly othersHeld: number
  /** Units of `entry.refund` that were accepted by this seq. */
  readonly refunded: number
  /** The outcome of `entry.mint`. */
  readonly mint?: MintOutcome
}

export type MintOutcome = 'minted' | 'repeated' | 'id_conflict' | 'units_overflow'

export interface CounterAnswer {
  readonly kind: 'counter'
  readonly value: number
  /** The sum would leave the safe integers: `add` was not applied. */
  readonly overflow: boolean
}

/** Only in a replay: this seq settled the row, which was removed since, after its retention (S10). No lease on it is left. */
export interface RemovedAnswer {
  readonly kind: 'removed'
  /** Units of `entry.refund` that were accepted by this seq. */
  readonly refunded: number
}

/**
 * Nothing was settled, and nothing of the row is leased to this epoch. `period_closed`: its period has ended or is too far ahead, so it was not created;
 * `row_lost`: it was known and is missing; `deleted`: it was deleted since this owner last heard of it (P6), and the next entry may create it;
 * `void`: a void entry.
 */
export interface NoRowAnswer {
  readonly kind: NoRowKind
}

export type NoRowKind = 'period_closed' | 'row_lost' | 'deleted' | 'void'

/** The part of an applied batch's outcome that is not in the rows. Kept with the owner row for replays and fenced answers. */
export interface Outcome {
  readonly granted: readonly number[]
  /** By entry index; entries without a note are absent. */
  readonly notes: Readonly<Record<number, EntryNote>>
  readonly credits?: CreditOutcomes
  readonly written: Written
}

export interface EntryNote {
  readonly noRow?: NoRowKind
  readonly refunded?: number
  readonly mint?: MintOutcome
  readonly overflow?: true
}

/** Rows that an exchange wrote (L7). */
export interface Written {
  /** Budget and counter rows written because units or values changed. */
  readonly records: number
  /** Lease rows, and budget rows written only because units moved between pool and lease. */
  readonly leaseRecords: number
}
