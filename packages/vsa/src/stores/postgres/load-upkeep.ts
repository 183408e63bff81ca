import type { EndedLease, OpenOwner, UpkeepRows } from '../../core/adapter.ts'
import type { OwnerRow } from '../../core/rows.ts'
import { foundBudget, leaseNameOf, type Locked, readable, rowsOf } from './found.ts'
import {
  integer,
  integerOrNull,
  leaseFrom,
  list,
  nameOf,
  ownerFrom,
  OWNER_WIDTH,
  prunableFrom,
  rowNameFrom,
} from './rows.ts'

/** The answer of an upkeep, without the times. */
export function upkeepFrom(answer: readonly unknown[]): { readonly rows: UpkeepRows; readonly locked: Locked } {
  const [late, burning, ended, prunable, nextPrunableAt, forgettable, leap, nextSweepAt] = answer
  const [from, at, until] = list(leap)
  const leases = rowsOf(ended).map(endedFrom)
  const perEpoch = countsOf(leases.map(({ lease }) => lease.epoch))
  return {
    rows: {
      open: rowsOf(late).map(openOwner),
      // An epoch with a lease that was left out burns on.
      burning: rowsOf(burning)
        .map(list)
        .filter(([epoch, count]) => (perEpoch.get(integer(epoch)) ?? 0) >= integer(count))
        .map(([epoch]) => integer(epoch)),
      ended: leases,
      prunable: rowsOf(prunable).map(prunableFrom),
      nextSweepAt: integerOrNull(nextSweepAt),
      nextPrunableAt: integerOrNull(nextPrunableAt),
      forgettable: rowsOf(forgettable).map(integer),
      leap: { from: integer(from), at: integer(at), until: integer(until) },
    },
    locked: {
      leased: new Map(
        rowsOf(ended).flatMap((value) => {
          const budget = list(value)[1]
          return budget === null ? [] : [[nameOf(rowNameFrom(list(budget)[0])), foundBudget(budget)[1]]]
        }),
      ),
      held: new Map(leases.map(({ lease }) => [leaseNameOf(lease, lease.epoch), lease.held])),
      stubs: [],
    },
  }
}

function openOwner(value: unknown): OpenOwner {
  const owner: OwnerRow = ownerFrom(value)
  return { owner, isGone: false, hasLeases: list(value)[OWNER_WIDTH] === true }
}

function endedFrom(value: unknown): EndedLease {
  const [lease, budget] = list(value)
  return { lease: leaseFrom(lease), row: budget === null ? undefined : readable(list(budget)[0]) }
}

function countsOf(epochs: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const epoch of epochs) counts.set(epoch, (counts.get(epoch) ?? 0) + 1)
  return counts
}
