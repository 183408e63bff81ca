import type { BudgetWrite, EndedLease, OwnerWrite, UpkeepBounds, UpkeepRows, Writes } from './adapter.ts'
import type { Batch } from './exchange.ts'
import type { BudgetRow, LeaseRow } from './rows.ts'
import { needsRows, renewed } from './standing.ts'
import { isUnits } from './units.ts'
import { writesOf } from './writes.ts'

/** A closed epoch is remembered this long after its end, so that its owner can still learn the outcome of its last batch. */
export const OWNERS_KEPT_MS: number = 7 * 86_400_000

export interface Upkeep {
  /** Epochs were closed: the next call finds their leases. */
  readonly hasClosed: boolean
  /** There are more rows to remove than this call removed. Burning may wait: no answer depends on it. */
  readonly isBehind: boolean
  /** Null when there is nothing to do. */
  readonly writes: Writes | null
}

/**
 * The transition of upkeep (S8, S10): closes the epochs of dead owners, burns their leases, removes rows of past periods and old closed owners.
 * Pure, and bounded by what was loaded. It is a separate transaction with its own schedule. No answer depends on its progress, because a lease of
 * a closed epoch counts as burned in every exchange.
 * @param time store time, ms since 1970
 * @param present the batch that is about to be applied, or the epoch that has just joined
 * @param bounds as the rows were loaded: where so many were, there may be more
 */
export function maintain(
  rows: UpkeepRows,
  time: number,
  present: Pick<Batch, 'epoch' | 'seq'>,
  { leasesMax, rowsMax }: UpkeepBounds,
): Upkeep {
  const { prunable, forgettable, ended } = rows
  const owners = ownersOf(rows, time, present)
  const { budgets, leases, stuck } = burn(ended)
  const burnedOut = ended.length >= leasesMax ? [] : rows.burning.filter((epoch) => !stuck.has(epoch))
  const isIdle = [owners, leases, prunable, forgettable, burnedOut].every((list) => list.length === 0)
  const changes = { owners, budgets, leases, removedBudgets: prunable, removedOwners: forgettable, burnedOut }
  return {
    hasClosed: owners.some(({ change }) => change === 'closed'),
    isBehind: prunable.length >= rowsMax || forgettable.length >= rowsMax,
    writes: isIdle ? null : writesOf(time, changes),
  }
}

/**
 * S8: one write closes an epoch at the present time, however old its last exchange is. The epoch that calls is alive, however late it is: it is
 * renewed here, because another owner's upkeep may come between this transaction and its exchange.
 */
function ownersOf({ open }: UpkeepRows, time: number, present: Pick<Batch, 'epoch' | 'seq'>): OwnerWrite[] {
  const writes: OwnerWrite[] = []
  for (const { owner, isGone } of open) {
    const isLate = owner.expiresAt < time
    if (owner.epoch !== present.epoch) {
      if (isGone || isLate) writes.push({ change: 'closed', row: { ...owner, state: 'closed', seenAt: time } })
    } else if (isLate && needsRows(owner, present)) {
      writes.push({ change: 'renewed', row: renewed(owner, time) })
    }
  }
  return writes
}

/** S8: a dead owner may have spent its lease, so the lease is burned and never granted again. Several dead owners may hold leases on one row. */
function burn(ended: readonly EndedLease[]): {
  readonly budgets: BudgetWrite[]
  readonly leases: LeaseRow[]
  /** Epochs with a lease that stays: its row cannot be read or would not balance. `vsa verify` names it. */
  readonly stuck: ReadonlySet<number>
} {
  const rows = new Map<string, BudgetRow>()
  const leases: LeaseRow[] = []
  const stuck = new Set<number>()
  for (const { lease, row } of ended) {
    const name = `${lease.period}:${lease.key}`
    const before = rows.get(name) ?? row
    const burned = (before?.burned ?? 0) + lease.held
    if (before === null || !isUnits(burned)) {
      stuck.add(lease.epoch)
      continue
    }
    leases.push({ ...lease, held: 0 })
    if (before !== undefined) rows.set(name, { ...before, burned })
  }
  return { budgets: [...rows.values()].map((row) => ({ change: 'settled', row })), leases, stuck }
}
