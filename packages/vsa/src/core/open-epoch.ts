import type { JoinRows } from './adapter.ts'
import type { Writes } from './written-rows.ts'
import { type Life, ONE_LIFE } from './life.ts'
import type { Joined } from './store.ts'
import { writesOf } from './writes.ts'

const NOTHING = { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } } as const

export interface Joining {
  /** New for each join, and random. */
  readonly token: string
  /** A label of the process, for display. */
  readonly label: string
  /** How long the epoch lives after each exchange, in ms. */
  readonly leaseTtlMs: number
}

/** The transition of a join: a new epoch, higher than every one that the store knows of. Pure. @param time store time, ms since 1970 */
export function openEpoch(
  { lastEpoch, process }: JoinRows,
  { token, label, leaseTtlMs }: Joining,
  time: number,
  life: Life = ONE_LIFE,
): { readonly joined: Joined; readonly writes: Writes } {
  const epoch = lastEpoch + 1
  const row = {
    epoch,
    token,
    label,
    state: 'open',
    seq: 0,
    outcome: NOTHING,
    seenAt: time,
    expiresAt: time + leaseTtlMs,
    leaseTtlMs,
    process,
  } as const
  const { incarnation, mayForget, frozenUntil } = life
  return {
    joined: { epoch, token, incarnation, mayForget, frozenUntil, time, leaseTtlMs },
    writes: writesOf(time, { owners: [{ change: 'opened', row }] }),
  }
}
