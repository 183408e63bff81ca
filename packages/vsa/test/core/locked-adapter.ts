import type { Snapshot, StoreAdapter } from '../../src/core/adapter.ts'
import { changedAdapter } from '../../src/core/changed-adapter.ts'
import type { MemoryAdapter } from '../../src/stores/memory/adapter.ts'

/** One transaction at a time, as SQLite has it: a call waits for the lock, in order of arrival. */
export class Lock {
  #last: Promise<void> = Promise.resolve()

  /** Takes the lock. @returns gives it back */
  async take(): Promise<() => void> {
    const before = this.#last
    let give = (): void => undefined
    this.#last = new Promise((resolve) => (give = resolve))
    await before
    return give
  }
}

/** A handle on the rows of `memory`, which other handles and programs lock. */
export function locked(memory: MemoryAdapter, lock: Lock): StoreAdapter {
  const transaction = async <Rows>(load: () => Snapshot<Rows>): Promise<Snapshot<Rows>> => {
    const give = await lock.take()
    const { save, release, ...rest } = attempt(load, give)
    return {
      ...rest,
      save: (writes) => {
        give()
        return save(writes)
      },
      release: () => {
        give()
        return release()
      },
    }
  }
  return changedAdapter(memory, {
    loadJoin: () => transaction(() => memory.loadJoin()),
    loadExchange: (batch) => transaction(() => memory.loadExchange(batch)),
    loadUpkeep: (bounds) => transaction(() => memory.loadUpkeep(bounds)),
  })
}

/** A load that fails gives the lock back. */
function attempt<T>(work: () => T, failed: () => void): T {
  try {
    return work()
  } catch (error) {
    failed()
    throw error
  }
}
