import type { Snapshot, StoreAdapter, UpkeepBounds, UpkeepRows } from '../../core/adapter.ts'
import type { Writes } from '../../core/written-rows.ts'
import { changedAdapter } from '../../core/changed-adapter.ts'
import { PERIOD_MAX_MS } from '../../core/policy.ts'
import type { Store } from '../../core/store.ts'
import { storeFrom } from '../../store-from.ts'
import { MemoryAdapter } from '../../stores/memory/adapter.ts'
import { RowTotals, readTotals, type StoreTotals } from '../store-totals.ts'
import { CommandError } from '../report.ts'
import type { ClockedOptions, StorePlace } from '../stores/store-place.ts'

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

/** A place whose store goes by the time of the log. */
export type ClockedPlace = StorePlace & Required<Pick<StorePlace, 'onClock'>>

/** @throws CommandError `not_supported`: on the clock of a server, the log would fall into other periods and leases into other times */
export function assertClocked(place: StorePlace): asserts place is ClockedPlace {
  if (place.onClock !== undefined) return
  throw new CommandError(
    'not_supported',
    `a replay runs on the time of the log, and ${place.name} goes by the clock of its server: keep the rows in a SQLite file, or leave --store out`,
  )
}

/** A new place, in which every row is kept. Each store call is a durable commit. */
export function keptStore(place: ClockedPlace, options: ClockedOptions): ReplayStore {
  return {
    store: place.onClock(options),
    retentionMs: PERIOD_MAX_MS,
    totals: () => readTotals(place),
  }
}

/** A store in memory, whose calls cost no disk. Past rows are removed, and added up when they are, so that a long log fits into memory. */
export function scratchStore({ leaseTtlMs, now }: ClockedOptions): ReplayStore {
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
