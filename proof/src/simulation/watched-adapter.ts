import { changedAdapter } from '../../../packages/vsa/dist/core/changed-adapter.js'
import type { Awaitable, Snapshot, StoreAdapter, Writes } from '../../../packages/vsa/dist/index.js'
import type { SavedReservations } from './saved-reservations.ts'

/**
 * The adapter, and what its transactions save of reservations.
 * @param wait before each transaction; null where none waits
 */
export function watchedAdapter(
  adapter: StoreAdapter,
  saved: SavedReservations,
  wait: () => Promise<void> | null = () => null,
): StoreAdapter {
  const seen = <Rows>(snapshot: Snapshot<Rows>): Snapshot<Rows> => ({
    ...snapshot,
    save: (writes: Writes) => {
      const isSaved = snapshot.save(writes)
      saved.saved(writes)
      return isSaved
    },
  })
  // These adapters answer at once.
  const load = <Rows>(rows: () => Awaitable<Snapshot<Rows>>): Awaitable<Snapshot<Rows>> => {
    const snapshot = rows()
    return snapshot instanceof Promise ? snapshot.then(seen) : seen(snapshot)
  }
  const waiting = <Rows>(rows: () => Awaitable<Snapshot<Rows>>): Awaitable<Snapshot<Rows>> =>
    wait()?.then(() => load(rows)) ?? load(rows)
  const loadDeletion = adapter.loadDeletion?.bind(adapter)
  return changedAdapter(adapter, {
    ...(loadDeletion && { loadDeletion: (key, max) => waiting(() => loadDeletion(key, max)) }),
    loadJoin: () => waiting(() => adapter.loadJoin()),
    loadExchange: (batch) => waiting(() => adapter.loadExchange(batch)),
    loadUpkeep: (bounds) => waiting(() => adapter.loadUpkeep(bounds)),
    loadSweep: (max) => waiting(() => adapter.loadSweep(max)),
  })
}
