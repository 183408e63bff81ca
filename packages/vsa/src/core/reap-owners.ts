import type { OpenOwner } from './adapter.ts'
import type { OwnerWrite } from './written-rows.ts'
import type { OwnerRow } from './rows.ts'
import { type Caller, isOwnedBy, needsRows, renewed } from './standing.ts'

/** An owner that holds nothing is reaped this long after its last exchange: nothing of it can burn. */
const IDLE_KEPT_MS = 7 * 86_400_000
/** The most such owners that are kept: every upkeep looks at all open owners. */
export const IDLE_OWNERS_MAX = 256

interface Reaping {
  /** Store time, ms since 1970. */
  readonly time: number
  readonly caller: Caller
  /** Owners that had not expired by this store time get one more lease lifetime. */
  readonly spareFrom: number
}

/**
 * S8: one write closes an epoch at the present time, however old its last exchange is. The epoch that calls is alive, however late it is: it is
 * renewed here, because another owner's upkeep may come between this transaction and its exchange.
 */
export function reapOwners(open: readonly OpenOwner[], reaping: Reaping): OwnerWrite[] {
  const { time, caller } = reaping
  const writes: OwnerWrite[] = []
  const idle: OwnerRow[] = []
  for (const { owner, isGone, hasLeases } of open) {
    const isLate = owner.expiresAt < time
    if (isOwnedBy(owner, caller)) {
      if (isLate && needsRows(owner, caller)) writes.push({ change: 'renewed', row: renewed(owner, time) })
    } else if (isGone) {
      writes.push(closed(owner, time))
    } else if (isLate && !hasLeases) {
      idle.push(owner)
    } else if (isLate) {
      writes.push(isSpared(owner, reaping) ? extended(owner, time) : closed(owner, time))
    }
  }
  for (const owner of beyondIdle(idle, Math.min(time, reaping.spareFrom))) writes.push(closed(owner, time))
  return writes
}

/** It could not renew, or not know that it must. Once: an owner that then stays silent is dead. */
function isSpared({ expiresAt, seenAt, leaseTtlMs }: OwnerRow, { spareFrom }: Reaping): boolean {
  return expiresAt >= spareFrom && expiresAt - seenAt <= leaseTtlMs
}

/** Written, so that owners that did not meet the cause spare it as well. */
function extended(owner: OwnerRow, time: number): OwnerWrite {
  return { change: 'renewed', row: { ...owner, expiresAt: time + owner.leaseTtlMs } }
}

/** An expired owner that holds nothing keeps its epoch, so that its next request need not join again (O6): within these bounds. */
function beyondIdle(idle: OwnerRow[], asOf: number): readonly OwnerRow[] {
  const newestFirst = idle.sort((a, b) => b.seenAt - a.seenAt)
  return newestFirst.filter(({ seenAt }, at) => at >= IDLE_OWNERS_MAX || seenAt < asOf - IDLE_KEPT_MS)
}

function closed(owner: OwnerRow, time: number): OwnerWrite {
  return { change: 'closed', row: { ...owner, state: 'closed', seenAt: time } }
}
