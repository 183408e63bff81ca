import { mintName } from './batch-mints.ts'
import type { Batch, Entry, Take } from './exchange.ts'
import { isUnits } from './units.ts'

/** What a fast path decides besides what all of them do. */
export interface PlainExtras {
  readonly mints: boolean
  readonly closes: boolean
  /** The one in which the store grants now (F1, F3). */
  readonly incarnation: string
}

/**
 * Whether the fast path may be asked (stores.md section 0): settling, policies, durable admissions that are not remembered, and counters, every amount in its range.
 * What is rare, and what is malformed, whose row must be named (S6), is decided by the transition.
 */
export function isPlainBatch(batch: Batch, { mints, closes, incarnation }: PlainExtras): boolean {
  const { entries, takes, close } = batch
  if ((close && !closes) || batch.incarnation !== incarnation) return false
  if (batch.changes !== undefined && batch.changes.length > 0) return false
  if (mints && hasIdTwice(entries)) return false
  return entries.every((entry) => isPlainEntry(entry, mints)) && takes.every((take) => isPlainTake(take, entries))
}

function isPlainEntry(entry: Entry, mints: boolean): boolean {
  if (entry.kind === 'void') return true
  if (entry.kind === 'counter') return Number.isSafeInteger(entry.add)
  const { spent, refund, hold, wantMs, mint, policy, gone, reset } = entry
  if (gone !== undefined || reset === true) return false
  if (mint !== undefined && !(mints && isUnits(mint.units))) return false
  if (![spent, refund, hold, wantMs].every(isUnits)) return false
  return policy === undefined || [policy.limit, policy.burnMax, policy.version].every(isUnits)
}

function isPlainTake({ need, n, first, remember }: Take, entries: readonly Entry[]): boolean {
  if (first === true || remember !== undefined) return false
  if (!isUnits(n) || need.length === 0 || new Set(need.map(([at]) => at)).size !== need.length) return false
  return need.every(([at, cost]) => entries[at]?.kind === 'budget' && isUnits(cost) && cost > 0)
}

/** One mint for two periods of a budget (L3). */
function hasIdTwice(entries: readonly Entry[]): boolean {
  const ids = entries.flatMap((entry) =>
    entry.kind === 'budget' && entry.mint !== undefined ? [mintName(entry.key, entry.mint.id)] : [],
  )
  return ids.length > 1 && new Set(ids).size < ids.length
}
