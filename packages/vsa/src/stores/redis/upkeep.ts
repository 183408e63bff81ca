import type { EndedLease, OpenOwner, UpkeepBounds, UpkeepRows } from '../../core/adapter.ts'
import type { PrunableRow } from '../../core/written-rows.ts'
import { InvariantError } from '../../core/errors.ts'
import type { RedisArgument } from './client.ts'
import { leaseNameOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import {
  bytesOrNone,
  leapFrom,
  list,
  number,
  pairs,
  rowNameFrom,
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
  const leases = tuples(ended, 4).map((tuple) => endedFrom(tuple, loaded))
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

/** An owner that is in the index and nowhere else is left alone. */
function openOwners([epochText, bytes, leases]: readonly unknown[], loaded: Loaded): readonly OpenOwner[] {
  const [epoch, found] = [number(epochText), bytesOrNone(bytes)]
  if (found === undefined) return []
  loaded.owner(epoch, found)
  const owner = unpackOwner(epoch, found)
  return owner.state === 'open' ? [{ owner, isGone: false, hasLeases: number(leases) > 0 }] : []
}

function endedFrom([epochText, field, heldText, bytes]: readonly unknown[], loaded: Loaded): EndedLease {
  const [epoch, held, found] = [number(epochText), number(heldText), bytesOrNone(bytes)]
  const name = rowNameFrom(field)
  loaded.budget(text(field), found)
  loaded.lease(leaseNameOf(text(field), epoch), held)
  return {
    lease: { ...name, epoch, held },
    row: found === undefined ? undefined : readable(() => unpackBudget(name, found).row),
  }
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
  return text(value) === '' ? null : number(value)
}
