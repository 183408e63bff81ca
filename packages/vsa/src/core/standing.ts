import type { Batch } from './exchange.ts'
import type { OwnerRow } from './rows.ts'

/** The owner that calls, and the seq that it sends or was answered last. */
export type Caller = Pick<Batch, 'epoch' | 'token' | 'seq'>

/**
 * Whether the answer depends on the rows of the batch; otherwise they need not be loaded.
 * @param mayForget F7: the answer to the last batch of an ended epoch tells of its rows
 */
export function needsRows(owner: OwnerRow | undefined, batch: Caller, mayForget = false): boolean {
  const { kind } = standingOf(owner, batch)
  return kind === 'repeated' || kind === 'next' || (mayForget && kind === 'closed' && owner?.seq === batch.seq)
}

export type Standing =
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'closed' | 'stale' | 'lost' | 'repeated' | 'next'; readonly owner: OwnerRow }

/** S2: classifies the batch by its epoch, token and seq. */
export function standingOf(owner: OwnerRow | undefined, { seq, token }: Caller): Standing {
  if (owner === undefined || owner.token !== token) return { kind: 'forgotten' }
  if (owner.state === 'closed') return { kind: 'closed', owner }
  if (seq < owner.seq) return { kind: 'stale', owner }
  if (seq > owner.seq + 1) return { kind: 'lost', owner }
  return { kind: seq === owner.seq ? 'repeated' : 'next', owner }
}

/** The row is the caller's own, and not one that another owner got under the same number. */
export function isOwnedBy(owner: OwnerRow, { epoch, token }: Caller): boolean {
  return owner.epoch === epoch && owner.token === token
}

/** An exchange that is answered renews its epoch (S2). @param time store time, ms since 1970 */
export function renewed(owner: OwnerRow, time: number): OwnerRow {
  return { ...owner, seenAt: time, expiresAt: Math.max(owner.expiresAt, time + owner.leaseTtlMs) }
}
