import type { EndedLease, OpenOwner, UpkeepBounds, UpkeepRows } from '../../core/adapter.ts'
import { withoutLeases } from '../../core/lease-sums.ts'
import type { LeaseRow } from '../../core/rows.ts'
import type { PrunableRow } from '../../core/written-rows.ts'
import { InvariantError } from '../../core/errors.ts'
import type { RedisArgument } from './client.ts'
import { fieldOf, leaseNameOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import {
  bytesOrNone,
  leapFrom,
  list,
  number,
  pairs,
  rowNameFrom,
  score,
  type StoredBudget,
  text,
  tuples,
  unpackBudget,
  unpackOwner,
} from './rows.ts'

/* What the load of upkeep asks for, and what its answer means. */

/** The arguments of `LOAD_UPKEEP`, behind the time. @param lateMs how far store time may be past the latest that was kept */
export function upkeepArguments(
  { leasesMax, rowsMax, ownersKeptMs }: UpkeepBounds,
  lateMs: number,
): readonly RedisArgument[] {
  return [lateMs, leasesMax, rowsMax, ownersKeptMs].map(String)
}

/** @param answer of `LOAD_UPKEEP`, without the state @param loaded gets what a save must find unchanged */
export function upkeepFrom(answer: readonly unknown[], loaded: Loaded): UpkeepRows {
  const [late, burning, ended, prunable, nextPrunableAt, forgettable, nextSweepAt] = answer
  const leases = soundOnes(tuples(ended, 4).map((tuple) => endedFrom(tuple, loaded)))
  const perEpoch = new Map<number, number>()
  for (const { lease } of leases) perEpoch.set(lease.epoch, (perEpoch.get(lease.epoch) ?? 0) + 1)
  return {
    open: tuples(late, 3).flatMap((tuple) => openOwners(tuple, loaded)),
    // An epoch with a lease that was left out burns on.
    burning: pairs(burning)
      .map(([epoch, count]) => ({ epoch: number(epoch), count: number(count) }))
      .filter(({ epoch, count }) => (perEpoch.get(epoch) ?? 0) >= count)
      .map(({ epoch }) => epoch),
    ended: leases,
    prunable: pairs(prunable).flatMap((pair) => prunableFrom(pair, loaded)),
    nextPrunableAt: timeOrNull(nextPrunableAt),
    nextSweepAt: timeOrNull(nextSweepAt),
    forgettable: list(forgettable).map(number),
    leap: leapFrom(loaded.state.leap),
  }
}

/** An owner that is in the index and nowhere else is left alone, and so is one that cannot be read. */
function openOwners([epochText, bytes, leases]: readonly unknown[], loaded: Loaded): readonly OpenOwner[] {
  const [epoch, found] = [number(epochText), bytesOrNone(bytes)]
  if (found === undefined) return []
  loaded.owner(epoch, found)
  const owner = readable(() => unpackOwner(epoch, found))
  return owner?.state === 'open' ? [{ owner, isGone: false, hasLeases: number(leases) > 0 }] : []
}

interface StoredLease {
  readonly lease: LeaseRow
  /** Undefined where there is none; null when it, or the lease, cannot be read. */
  readonly stored: StoredBudget | undefined | null
}

function endedFrom([epochText, field, heldText, bytes]: readonly unknown[], loaded: Loaded): StoredLease {
  const [epoch, held, found] = [number(epochText), readable(() => number(heldText)), bytesOrNone(bytes)]
  const name = rowNameFrom(field)
  loaded.budget(text(field), found)
  if (held === null) return { lease: { ...name, epoch, held: 0 }, stored: null }
  loaded.lease(leaseNameOf(text(field), epoch), held)
  return {
    lease: { ...name, epoch, held },
    stored: found === undefined ? undefined : readable(() => unpackBudget(name, found)),
  }
}

/** S6: a row whose sums are not those of its leases is as one that cannot be read. */
function soundOnes(ended: readonly StoredLease[]): readonly EndedLease[] {
  const leasesOn = new Map<string, LeaseRow[]>()
  for (const { lease } of ended) leasesOn.set(fieldOf(lease), [...(leasesOn.get(fieldOf(lease)) ?? []), lease])
  return ended.map(({ lease, stored }) => {
    if (stored === undefined || stored === null) return { lease, row: stored }
    return { lease, row: withoutLeases(stored, leasesOn.get(fieldOf(lease)) ?? []) === null ? null : stored.row }
  })
}

/** A row that cannot be read stays. */
function prunableFrom([field, bytes]: readonly unknown[], loaded: Loaded): readonly PrunableRow[] {
  const [name, found] = [rowNameFrom(field), bytesOrNone(bytes)]
  const stored = found === undefined ? null : readable(() => unpackBudget(name, found))
  if (stored === null || stored.lessees > 0 || stored.row.reserved > 0) return []
  loaded.budget(text(field), found)
  return [{ ...name, endsAt: stored.row.endsAt }]
}

/** Null for what cannot be read, so that the rest goes on. */
function readable<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvariantError) return null
    throw error
  }
}

function timeOrNull(value: unknown): number | null {
  return text(value) === '' ? null : Math.max(0, Math.min(score(value), Number.MAX_SAFE_INTEGER))
}
