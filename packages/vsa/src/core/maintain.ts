import type { BudgetWrite, EndedLease, OwnerWrite, UpkeepRows, Writes } from './adapter.ts'
import type { BudgetRow, LeaseRow } from './rows.ts'
import { writesOf } from './writes.ts'

/** A closed epoch is remembered this long after its end, so that its owner can still learn the outcome of its last batch. */
export const OWNERS_KEPT_MS: number = 7 * 86_400_000

export interface Upkeep {
  /** More work is left: call again. */
  readonly isBehind: boolean
  /** Null when there is nothing to do. */
  readonly writes: Writes | null
}

/**
 * The transition of upkeep (S8, S10): closes the epochs of dead owners, burns their leases, removes rows of past periods and old closed owners.
 * Pure, and bounded by what was loaded. It is a separate transaction with its own schedule. No answer depends on its progress, because a lease of
 * a closed epoch counts as burned in every exchange.
 * @param time store time, ms since 1970
 * @param present the calling epoch: it is alive however late it is, and its exchange renews it
 * @param rowsMax the most rows of each kind that were loaded: if so many were, there may be more
 */
export function maintain(rows: UpkeepRows, time: number, present: number, rowsMax: number): Upkeep {
  const { prunable, forgettable, ended } = rows
  const owners = closingsOf(rows, time, present)
  const { budgets, leases } = burn(ended)
  const burnedOut = ended.length < rowsMax && leases.length === ended.length ? rows.burning : []
  const isFull = [leases, prunable, forgettable].some((list) => list.length >= rowsMax)
  const isIdle = [owners, leases, prunable, forgettable, burnedOut].every((list) => list.length === 0)
  if (isIdle) return { isBehind: false, writes: null }
  const changes = { owners, budgets, leases, removedBudgets: prunable, removedOwners: forgettable, burnedOut }
  // The leases of an epoch that closes now are burned by the next call.
  return { isBehind: isFull || owners.length > 0, writes: writesOf(time, changes) }
}

/** S8: one write closes an epoch at the present time, however old its last exchange is. */
function closingsOf({ open }: UpkeepRows, time: number, present: number): OwnerWrite[] {
  return open
    .filter(({ owner, isGone }) => owner.epoch !== present && (isGone || owner.expiresAt < time))
    .map(({ owner }) => ({ change: 'closed', row: { ...owner, state: 'closed', seenAt: time } }))
}

/** S8: a dead owner may have spent its lease, so the lease is burned and never granted again. Several dead owners may hold leases on one row. */
function burn(ended: readonly EndedLease[]): { readonly budgets: BudgetWrite[]; readonly leases: LeaseRow[] } {
  const rows = new Map<string, BudgetRow>()
  const leases: LeaseRow[] = []
  for (const { lease, row } of ended) {
    // A row that cannot be read is left as it is, with its leases: `vsa verify` names it.
    if (row === null) continue
    leases.push({ ...lease, held: 0 })
    if (row === undefined) continue
    const name = `${lease.period}:${lease.key}`
    const before = rows.get(name) ?? row
    rows.set(name, { ...before, burned: before.burned + lease.held })
  }
  return { budgets: [...rows.values()].map((row) => ({ change: 'settled', row })), leases }
}
