import type { Batch, BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type * as Housekeeping from '../../../packages/vsa/dist/core/housekeeping.js'
import type * as MemoryLedger from '../../../packages/vsa/dist/stores/memory/ledger.js'
import { loadLibrary } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'
import { moduleOf } from '../subject.ts'
import { assertSynchronous } from './synchronous-check.ts'
import { assertConstantWork } from './work-check.ts'

/** Throws a Violation where the library in `folder` breaks the law that the check is named by. */
export type DirectCheck = (folder: string) => Promise<void>

const HOUR_MS = 3_600_000
const JOINING = { label: 'check', leaseTtlMs: 10_000, process: null } as const

/** Checks of what no seed of the simulation can bring about, or see. Each passes for the shipped library. */
export const DIRECT_CHECKS: Readonly<Record<string, DirectCheck>> = {
  'S1: the transition itself does not let time go back': assertTimeStands,
  'S10: an exchange that is refused removes no row': assertRefusalKeepsRows,
  'S7: every commit of the SQLite store is synced': assertSynchronous,
  'L8: the work of a decision and of a flush does not depend on how many budgets there are, or units':
    assertConstantWork,
}

/** The clock that the caller hands in is behind the time that the rows have seen. */
async function assertTimeStands(folder: string): Promise<void> {
  const { joinOwner, exchangeOn } = await moduleOf<typeof Housekeeping>(folder, 'core/housekeeping.js')
  const { MemoryLedger: Ledger } = await moduleOf<typeof MemoryLedger>(folder, 'stores/memory/ledger.js')
  const ledger = new Ledger()
  const now = 2 * HOUR_MS
  const { epoch, time } = joinOwner(ledger, JOINING, now, () => false)
  const answer = exchangeOn(ledger, batchOf(epoch, 1, []), now - HOUR_MS, () => false)
  must(answer.time >= time, 'S1', () => `store time went back from ${time} to ${answer.time}`)
}

/** The store's clock is an hour ahead during one call, which is refused. */
async function assertRefusalKeepsRows(folder: string): Promise<void> {
  const { memory } = await loadLibrary(folder)
  let now = 10 * HOUR_MS
  const store = memory({ now: () => now, leaseTtlMs: 5 * HOUR_MS })
  const { epoch } = await store.join('check')
  const entry = entryOf(now)
  await store.exchange(batchOf(epoch, 1, [entry]))
  await store.exchange(batchOf(epoch, 2, []))
  now += HOUR_MS
  const { kind } = await store.exchange(batchOf(epoch, 1, []))
  now -= HOUR_MS
  const rows = await store.read([entry])
  must(kind === 'stale', 'S2', () => `an old batch was answered ${kind}`)
  must(rows.length === 1, 'S10', () => 'a row was removed with an exchange that was refused')
}

function batchOf(epoch: number, seq: number, entries: readonly BudgetEntry[]): Batch {
  return { epoch, seq, entries, takes: [], close: false }
}

function entryOf(period: number): BudgetEntry {
  const endsAt = period + 60_000
  const policy = { kind: 'window', limit: 10, burnMax: 1, version: 1, endsAt, keepUntil: endsAt + 120_000 } as const
  return { kind: 'budget', key: 'k', period, known: false, policy, spent: 0, refund: 0, hold: 0, wantMs: 0 }
}
