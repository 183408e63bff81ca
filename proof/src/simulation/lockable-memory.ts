import type { Store } from '../../../packages/vsa/dist/index.js'
import type { Library } from './library.ts'
import { SavedReservations } from './saved-reservations.ts'
import { watchedAdapter } from './watched-adapter.ts'

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
  const lockable = watchedAdapter(adapter, saved, () => locked)
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
