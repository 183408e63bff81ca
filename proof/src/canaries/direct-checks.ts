import type { Batch, BudgetEntry, Joined } from '../../../packages/vsa/dist/index.js'
import { loadLibrary } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'
import { assertFencedTakeRemembered, assertForgottenRefundGivenUp } from '../forgetting/traces.ts'
import { assertAnswersChecked, assertFateTold } from './answers-check.ts'
import {
  assertChangeSentAgain,
  assertNothingBehindReset,
  assertRepeatGivesNothing,
  assertReservedBalanced,
} from './credit-checks.ts'
import { assertLocksAreWatched } from './locks-check.ts'
import { assertSynchronous } from './synchronous-check.ts'
import { assertConstantWork } from './work-check.ts'

/** Throws a Violation where the library in `folder` breaks the law that the check is named by. */
export type DirectCheck = (folder: string) => Promise<void>

const HOUR_MS = 3_600_000

/** Checks of what no seed of the simulation can bring about, or see. Each passes for the shipped library. */
export const DIRECT_CHECKS: Readonly<Record<string, DirectCheck>> = {
  'S10, L1: a row that upkeep has removed is not made again by a clock that was ahead for a moment': assertRowStaysGone,
  'O2: an answer that is not one to the batch is not used': assertAnswersChecked,
  'O5: refunds in a batch that the store has forgotten are reported': assertFateTold,
  'S7: every commit of the SQLite store is synced': assertSynchronous,
  'L1: a commit without SQLite’s locks has an unknown outcome': assertLocksAreWatched,
  'L8: the work of a decision and of a flush does not depend on how many budgets there are, or units':
    assertConstantWork,
  'F7, L1: a take that is known by a fenced answer alone is remembered': assertFencedTakeRemembered,
  'F5, L1: a refund that the store has forgotten is given up': assertForgottenRefundGivenUp,
  'R8: a change whose fate is not known is sent again': assertChangeSentAgain,
  'L2: the trial balance counts what is set aside': assertReservedBalanced,
  'I2: nothing is given back behind a reset': assertNothingBehindReset,
  'I2, L1: a repeated decision gives nothing back': assertRepeatGivesNothing,
}

/** The store's clock is an hour ahead during one call, which is refused. Upkeep before it removes the row, and must keep its time. */
async function assertRowStaysGone(folder: string): Promise<void> {
  const { memory } = await loadLibrary(folder)
  let now = 10 * HOUR_MS
  const store = memory({ now: () => now, leaseTtlMs: 5 * HOUR_MS })
  const owner = await store.join('check')
  const entry = entryOf(now)
  await store.exchange(batchOf(owner, 1, [entry]))
  await store.exchange(batchOf(owner, 2, []))
  now += HOUR_MS
  const { kind } = await store.exchange(batchOf(owner, 1, []))
  const rows = await store.read([entry])
  now -= HOUR_MS
  must(kind === 'stale' && rows.length === 0, 'S10', () => `${kind}, and ${rows.length} rows of a past period are left`)
  await store.exchange(batchOf(owner, 3, [entry]))
  must((await store.read([entry])).length === 0, 'L1', () => 'a row that had been removed was made again')
}

function batchOf({ epoch, token, incarnation }: Joined, seq: number, entries: readonly BudgetEntry[]): Batch {
  return { epoch, token, incarnation, seq, entries, takes: [], close: false }
}

function entryOf(period: number): BudgetEntry {
  const endsAt = period + 60_000
  const policy = { kind: 'window', limit: 10, burnMax: 1, version: 1, endsAt, keepUntil: endsAt + 120_000 } as const
  return { kind: 'budget', key: 'k', period, known: false, policy, spent: 0, refund: 0, hold: 0, wantMs: 0 }
}
