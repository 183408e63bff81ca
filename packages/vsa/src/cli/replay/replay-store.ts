import type { Snapshot, StoreAdapter, UpkeepBounds, UpkeepRows, Writes } from '../../core/adapter.ts'
import { changedAdapter } from '../../core/changed-adapter.ts'
import { PERIOD_MAX_MS } from '../../core/policy.ts'
import type { Store } from '../../core/store.ts'
import { storeFrom } from '../../store-from.ts'
import { MemoryAdapter } from '../../stores/memory/adapter.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { RowTotals, readTotals, type StoreTotals } from '../store-totals.ts'

/** A store for a replay, and its books. */
export interface ReplayStore {
  readonly store: Store
  /** How long rows of past periods are kept, in ms: for the policy. */
  readonly retentionMs: number
  /** Adds up every row that there was, as it was last. Call it when the engine is closed. */
  totals(): Promise<StoreTotals>
}

/** How often past rows are removed, in ms of the log, and how many at most: each time costs a look at every row. */
const UPKEEP_EVERY_MS = 60_000
const UPKEEP_ROWS_MAX = 1_000_000

interface ReplayStoreOptions {
  readonly leaseTtlMs: number
  readonly now: () => number
}

/** A new SQLite file, in which every row is kept. Each store call is a durable commit. */
export function keptStore(path: string, { leaseTtlMs, now }: ReplayStoreOptions): ReplayStore {
  return {
    store: sqlite(path, { thread: false, leaseTtlMs, now }),
    retentionMs: PERIOD_MAX_MS,
    totals: () => readTotals(path),
  }
}

/** A store in memory, whose calls cost no disk. Past rows are removed, and added up when they are, so that a long log fits into memory. */
export function scratchStore({ leaseTtlMs, now }: ReplayStoreOptions): ReplayStore {
  const adapter = new MemoryAdapter(now, leaseTtlMs)
  const sum = new RowTotals()
  return {
    store: storeFrom(addingRemoved(adapter, sum), {
      now,
      upkeepEveryMs: UPKEEP_EVERY_MS,
      upkeepRowsMax: UPKEEP_ROWS_MAX,
    }),
    retentionMs: 0,
    totals: async () => {
      for (const row of adapter.list({ limit: Number.MAX_SAFE_INTEGER }).rows) sum.row(row)
      return sum.totals
    },
  }
}

function addingRemoved(adapter: MemoryAdapter, sum: RowTotals): StoreAdapter {
  return changedAdapter(adapter, {
    loadUpkeep: (bounds: UpkeepBounds): Snapshot<UpkeepRows> => {
      const snapshot = adapter.loadUpkeep(bounds)
      const save = (writes: Writes): ReturnType<typeof snapshot.save> => {
        for (const budget of adapter.read(writes.removedBudgets)) sum.row({ budget, leases: [] })
        return snapshot.save(writes)
      }
      return { ...snapshot, save }
    },
  })
}
