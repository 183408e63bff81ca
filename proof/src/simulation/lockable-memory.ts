import { changedAdapter } from '../../../packages/vsa/dist/core/changed-adapter.js'
import type { Awaitable, Snapshot, Store, Writes } from '../../../packages/vsa/dist/index.js'
import type { Library } from './library.ts'
import { SavedReservations } from './saved-reservations.ts'

/** The memory store, with a lock that another program can hold: as long as it does, every transaction waits. */
export interface LockableMemory {
  readonly store: Store
  readonly saved: SavedReservations
  lock(): void
  unlock(): void
}

interface MemorySettings {
  readonly now: () => number
  readonly leaseTtlMs: number
  readonly upkeepRowsMax: number
}

export function lockableMemory({ MemoryAdapter, storeFrom }: Library, settings: MemorySettings): LockableMemory {
  const { now, leaseTtlMs, upkeepRowsMax } = settings
  const adapter = new MemoryAdapter(now, leaseTtlMs)
  let locked: Promise<void> | null = null
  let unlock = (): void => undefined
  const saved = new SavedReservations()
  const seen = <Rows>(snapshot: Snapshot<Rows>): Snapshot<Rows> => ({
    ...snapshot,
    save: (writes: Writes) => {
      saved.saved(writes)
      return snapshot.save(writes)
    },
  })
  // The adapter in memory answers at once.
  const load = <Rows>(rows: () => Awaitable<Snapshot<Rows>>): Awaitable<Snapshot<Rows>> => {
    const snapshot = rows()
    return snapshot instanceof Promise ? snapshot.then(seen) : seen(snapshot)
  }
  const waiting = <Rows>(rows: () => Awaitable<Snapshot<Rows>>): Awaitable<Snapshot<Rows>> =>
    locked === null ? load(rows) : locked.then(() => load(rows))
  const lockable = changedAdapter(adapter, {
    loadJoin: () => waiting(() => adapter.loadJoin()),
    loadExchange: (batch) => waiting(() => adapter.loadExchange(batch)),
    loadUpkeep: (bounds) => waiting(() => adapter.loadUpkeep(bounds)),
    loadSweep: (max) => waiting(() => adapter.loadSweep(max)),
  })
  let tokens = 0
  return {
    // Numbered, so that a seed gives the same trace each time.
    store: storeFrom(lockable, { now, newToken: () => `token ${(tokens += 1)}`, upkeepRowsMax }),
    saved,
    lock: () => {
      locked = new Promise((resolve) => (unlock = resolve))
    },
    unlock: () => {
      locked = null
      unlock()
    },
  }
}
