import { applyExchange } from './apply-exchange.ts'
import type { Answer, Batch } from './exchange.ts'
import type { Ledger, LeaseRow, OwnerRow } from './ledger.ts'
import type { Joined } from './store.ts'

/** Rows that one transaction reaps, burns or removes at most, so that housekeeping never holds up an exchange for long. */
const SLICE_MAX = 200
/** A closed epoch is remembered this long after its end, so that its owner can still learn what became of its last batch. */
const OWNER_KEPT_MS = 7 * 86_400_000
const NOTHING = { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } } as const

export interface Joining {
  /** What the process calls itself, for people. */
  readonly label: string
  readonly leaseTtlMs: number
  /** Which process it is, opaque; null where that cannot be told. */
  readonly process: string | null
}

/** Whether the process behind an owner is surely dead, so that it may be reaped before it expires (S8). */
export type IsGone = (owner: OwnerRow) => boolean

/** Opens a new epoch, higher than every one before it. Inside one transaction of the caller's. @param now as for `exchangeOn` */
export function joinOwner(ledger: Ledger, joining: Joining, now: number, isGone: IsGone): Joined {
  const time = storeTime(ledger, now)
  reap(ledger, time, isGone, null)
  const epoch = ledger.nextEpoch()
  const { label, leaseTtlMs, process } = joining
  ledger.saveOwner({
    epoch,
    label,
    state: 'open',
    seq: 0,
    outcome: NOTHING,
    seenAt: time,
    expiresAt: time + leaseTtlMs,
    leaseTtlMs,
    process,
  })
  prune(ledger, time)
  ledger.removeOwnersEndedBefore(time - OWNER_KEPT_MS)
  return { epoch, time, leaseTtlMs }
}

/**
 * One exchange with the housekeeping that rides along. Inside one transaction of the caller's.
 * @param now what the store's clock says, see {@link StoreClock}
 * @param isGone null when no housekeeping is due this time: a store may do it at a pace of its own, say every 100 ms
 */
export function exchangeOn(ledger: Ledger, batch: Batch, now: number, isGone: IsGone | null): Answer {
  const time = storeTime(ledger, now)
  if (isGone !== null) reap(ledger, time, isGone, batch.epoch)
  const answer = applyExchange(ledger, batch, time)
  // Not with a refusal: its time is not kept, and behind a clock that was ahead for a moment a removed row could be made again.
  if (isGone !== null && (answer.kind === 'applied' || answer.kind === 'replayed')) prune(ledger, time)
  return answer
}

/** Whether the exchange has left its time in the books. */
export function keepsTime(answer: Answer): boolean {
  return answer.kind === 'applied' || answer.kind === 'replayed'
}

/** S1: time never goes back, whatever the clock of the process that asks says. */
function storeTime(ledger: Ledger, now: number): number {
  return Math.max(Math.floor(now), ledger.timeSeen())
}

/** @param present the epoch that is calling: late as it may be, it is alive, and its exchange renews it unless it was reaped before */
function reap(ledger: Ledger, time: number, isGone: IsGone, present: number | null): void {
  for (const owner of ledger.openOwners()) {
    if (owner.epoch !== present && (owner.expiresAt < time || isGone(owner))) close(ledger, owner, time)
  }
  for (const lease of ledger.closedLeases(SLICE_MAX)) burn(ledger, lease)
}

/** S10: rows of past periods go once nobody leases them. */
function prune(ledger: Ledger, time: number): void {
  for (const { key, period } of ledger.prunableBudgets(time, SLICE_MAX)) ledger.removeBudget(key, period)
}

/** S8: one write ends the epoch, now, however long ago it was last seen; until they are burned, its leases count as held. */
function close(ledger: Ledger, owner: OwnerRow, time: number): void {
  ledger.saveOwner({ ...owner, state: 'closed', seenAt: time })
}

/** S8: what a dead owner held may have been spent, so it is burned and never given again. */
function burn(ledger: Ledger, lease: LeaseRow): void {
  const row = ledger.budget(lease.key, lease.period)
  if (row !== undefined) ledger.saveBudget({ ...row, burned: row.burned + lease.held })
  ledger.saveLease({ ...lease, held: 0 })
}
