import type { EndedLease, StoreTime, UpkeepBounds, UpkeepRows } from './adapter.ts'
import type { BudgetWrite, Writes } from './written-rows.ts'
import { isDoubtful, leapOf, pruneTimeOf } from './leap.ts'
import { reapOwners } from './reap-owners.ts'
import type { BudgetRow, Leap, LeaseRow } from './rows.ts'
import type { Caller } from './standing.ts'
import { isUnits } from './units.ts'
import { writesOf } from './writes.ts'

/** A closed epoch is remembered this long after its end, so that its owner can still learn the outcome of its last batch. */
export const OWNERS_KEPT_MS: number = 7 * 86_400_000

/** Transactions of one upkeep: the first closes epochs, the second burns their leases, the third removes the rows that they were on. */
export const UPKEEP_STEPS = 3

/** On whose behalf one upkeep is done, and what it has met. */
export interface UpkeepCall {
  /** The owner whose batch is about to be applied, or that has just joined: it is alive. */
  readonly caller: Caller
  /** As the rows were loaded: where so many were, there may be more. */
  readonly bounds: UpkeepBounds
  /** Of the calling handle, in ms. */
  readonly leaseTtlMs: number
  /** How long ago the store began to stand still, in ms; 0 when it did not, or one lease lifetime has passed since (S8). */
  readonly standstillMs: number
}

export interface Upkeep {
  /** The next call has more to do: the leases of the epochs that this one closed, or rows whose last leases it burned. */
  readonly leadsOn: boolean
  /** There are more rows to remove than this call removed. Burning may wait: no answer depends on it. */
  readonly isBehind: boolean
  /** Reservations are to be swept: in a transaction of its own. */
  readonly isSweepDue: boolean
  /** In how many ms there will be something to do, as far as is known; 0 when there is more now, null when nothing is known. */
  readonly dueInMs: number | null
  /** Null when there is nothing to do. */
  readonly writes: Writes | null
}

/**
 * The transition of upkeep (S8, S10): closes the epochs of dead owners, burns their leases, removes rows of past periods and old closed owners.
 * Pure, and bounded by what was loaded. It is a separate transaction with its own schedule. No answer depends on its progress, because a lease of
 * a closed epoch counts as burned in every exchange.
 */
export function maintain(rows: UpkeepRows, at: StoreTime, call: UpkeepCall): Upkeep {
  const { bounds, leaseTtlMs } = call
  const leap = leapOf(at, leaseTtlMs) ?? rows.leap
  const owners = reapOwners(rows.open, { time: at.time, spareFrom: spareFrom(at, leap, call), ...call })
  const { budgets, leases, stuck } = burn(rows.ended)
  const isFull = rows.ended.length >= bounds.leasesMax
  const leadsOn = owners.some(({ change }) => change === 'closed') || (leases.length > 0 && !isFull)
  const removes = mayRemove(at, leap, leaseTtlMs)
  const { prunable, forgettable } = removes ? rows : NOTHING
  const changes = {
    owners,
    budgets,
    leases,
    removedBudgets: prunable,
    removedOwners: forgettable,
    burnedOut: isFull ? [] : rows.burning.filter((epoch) => !stuck.has(epoch)),
  }
  const doubted = doubt(at, leap, leaseTtlMs)
  // Store time goes on only with what is kept, and rows that a leap holds up would wait for ever in a quiet store.
  const isSweepDue = rows.nextSweepAt !== null && rows.nextSweepAt <= pruneTimeOf(at)
  const mustPass = (rows.prunable.length > 0 || isSweepDue) && !mayRemove(at, rows.leap, leaseTtlMs)
  const isIdle = doubted === null && !mustPass && Object.values(changes).every((list) => list.length === 0)
  const isBehind = prunable.length >= bounds.rowsMax || forgettable.length >= bounds.rowsMax
  return {
    leadsOn,
    isBehind,
    isSweepDue: isSweepDue && removes,
    dueInMs: isBehind || leadsOn || leases.length > 0 ? 0 : dueInMs(rows, at, removes),
    writes: isIdle ? null : writesOf(at.time, { ...changes, leap: doubted }),
  }
}

const NOTHING: Pick<UpkeepRows, 'prunable' | 'forgettable'> = { prunable: [], forgettable: [] }

/** S8: owners that had not expired by this store time are spared: they could not renew, or could not know that they must. Infinity when none is. */
function spareFrom({ time }: StoreTime, leap: Leap, { leaseTtlMs, standstillMs }: UpkeepCall): number {
  const beforeStandstill = standstillMs > 0 ? time - standstillMs : Infinity
  return isFresh(time, leap, leaseTtlMs) ? Math.min(leap.from, beforeStandstill) : beforeStandstill
}

/** S10: a leap must show before anything is removed by it; and while a clock contradicts it, only that clock removes. */
function mayRemove(at: StoreTime, leap: Leap, leaseTtlMs: number): boolean {
  if (isFresh(at.time, leap, leaseTtlMs)) return false
  return isDoubtful(at) || at.time >= leap.until
}

/** Within one lease lifetime after the leap. */
function isFresh(time: number, leap: Leap, leaseTtlMs: number): boolean {
  return leap.at > 0 && time - leap.at <= leaseTtlMs
}

/** This handle's clock contradicts store time: the others remove nothing while it does. Written at most twice in a lease lifetime. */
function doubt(at: StoreTime, leap: Leap, leaseTtlMs: number): Leap | null {
  if (!isDoubtful(at) || leap.until - at.time >= leaseTtlMs / 2) return null
  return { ...leap, until: at.time + leaseTtlMs }
}

function dueInMs(
  { prunable, nextPrunableAt, nextSweepAt }: UpkeepRows,
  at: StoreTime,
  removes: boolean,
): number | null {
  if (prunable.length > 0 && !removes) return LOOK_AGAIN_MS
  const nextAt = Math.min(nextPrunableAt ?? Infinity, nextSweepAt ?? Infinity)
  if (nextAt === Infinity) return null
  const restMs = Math.max(0, nextAt - pruneTimeOf(at)) + 1
  return removes ? restMs : Math.max(restMs, LOOK_AGAIN_MS)
}

/** What may not be removed yet is looked at again after this time. */
const LOOK_AGAIN_MS = 1_000

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
