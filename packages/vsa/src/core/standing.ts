import type { Batch } from './exchange.ts'
import type { OwnerRow } from './rows.ts'

type Sent = Pick<Batch, 'epoch' | 'seq'>

/** Whether the answer depends on the rows of the batch; otherwise they need not be loaded. */
export function needsRows(owner: OwnerRow | undefined, batch: Sent): boolean {
  const { kind } = standingOf(owner, batch)
  return kind === 'repeated' || kind === 'next'
}

export type Standing =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'closed' | 'stale' | 'lost' | 'repeated' | 'next'; readonly owner: OwnerRow }

/** S2: classifies the batch by its epoch and seq. */
export function standingOf(owner: OwnerRow | undefined, { seq }: Sent): Standing {
  if (owner === undefined) return { kind: 'unknown' }
  if (owner.state === 'closed') return { kind: 'closed', owner }
  if (seq < owner.seq) return { kind: 'stale', owner }
  if (seq > owner.seq + 1) return { kind: 'lost', owner }
  return { kind: seq === owner.seq ? 'repeated' : 'next', owner }
}

/** An exchange that is answered renews its epoch (S2). @param time store time, ms since 1970 */
export function renewed(owner: OwnerRow, time: number): OwnerRow {
  return { ...owner, seenAt: time, expiresAt: Math.max(owner.expiresAt, time + owner.leaseTtlMs) }
}
