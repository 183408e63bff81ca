import type { EndedLease, OpenOwner, UpkeepRows } from '../../core/adapter.ts'
import { withoutLeases } from '../../core/lease-sums.ts'
import type { LeaseRow, OwnerRow } from '../../core/rows.ts'
import { foundBudget, type Leased, leaseNameOf, type Locked, readable, rowsOf } from './found.ts'
import {
  budgetFrom,
  integer,
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
  const leases = burnableFrom(rowsOf(ended))
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
      nextSweepAt: timeOrNull(nextSweepAt),
      nextPrunableAt: timeOrNull(nextPrunableAt),
      forgettable: rowsOf(forgettable).map(integer),
      leap: { from: integer(from), at: integer(at), until: integer(until) },
    },
    locked: {
      leased: new Map(
        rowsOf(ended).flatMap((value) => {
          const sums = sumsOf(list(value)[1])
          return sums === null ? [] : [[nameOf(rowNameFrom(list(value)[0])), sums] as const]
        }),
      ),
      held: new Map(leases.map(({ lease }) => [leaseNameOf(lease, lease.epoch), lease.held])),
      stubs: [],
    },
  }
}

/** The time of one damaged row does not keep the others from being looked at. */
function timeOrNull(column: unknown): number | null {
  return column === null ? null : Math.max(0, Math.min(Number(column), Number.MAX_SAFE_INTEGER))
}

function openOwner(value: unknown): OpenOwner {
  const owner: OwnerRow = ownerFrom(value)
  return { owner, isGone: false, hasLeases: list(value)[OWNER_WIDTH] === true }
}

/** Leases with their rows. Where the sums on a row are not those of its leases, it is as one that cannot be read: the server would refuse to save it, and all others with it (S6). */
function burnableFrom(values: readonly unknown[]): readonly EndedLease[] {
  const ended = values.map(endedFrom)
  const leasesOn = new Map<string, LeaseRow[]>()
  for (const { lease } of ended) leasesOn.set(nameOf(lease), [...(leasesOn.get(nameOf(lease)) ?? []), lease])
  return ended.map(({ lease, row }, at) => {
    const sums = sumsOf(list(values[at])[1])
    const isSound =
      row === undefined || (sums !== null && withoutLeases(sums, leasesOn.get(nameOf(lease)) ?? []) !== null)
    return { lease, row: isSound ? row : null }
  })
}

function endedFrom(value: unknown): EndedLease {
  const [columns, budget] = list(value)
  const lease = readable(() => leaseFrom(columns))
  if (lease === null)
    return { lease: { ...rowNameFrom(columns), epoch: integer(list(columns)[2]), held: 0 }, row: null }
  return { lease, row: budget === null ? undefined : readable(() => budgetFrom(list(budget)[0])) }
}

/** Of a row as it is loaded; null where there is none, or where they cannot be read. */
function sumsOf(budget: unknown): Leased | null {
  return budget === null ? null : readable(foundBudget(budget)[1].sums)
}

function countsOf(epochs: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const epoch of epochs) counts.set(epoch, (counts.get(epoch) ?? 0) + 1)
  return counts
}
