import type { Snapshot, StoreAdapter } from '../../src/core/adapter.ts'
import type { Writes } from '../../src/core/written-rows.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'

/**
 * An adapter as a remote store with optimistic versions has it: each load and save takes turns of the event loop, others come in between, and
 * a save whose rows have moved since they were loaded writes nothing.
 */
export class VersionedAdapter implements StoreAdapter {
  readonly capabilities: StoreAdapter['capabilities']
  readonly leaseTtlMs: number
  /** Saves that were refused because the version had moved. */
  moved = 0
  readonly #rows: MemoryAdapter
  #version = 0

  constructor(now: () => number, leaseTtlMs: number) {
    this.#rows = new MemoryAdapter(now, leaseTtlMs)
    this.capabilities = this.#rows.capabilities
    this.leaseTtlMs = leaseTtlMs
  }

  async ready(): Promise<void> {}

  loadJoin(): ReturnType<StoreAdapter['loadJoin']> {
    return this.#versioned(() => this.#rows.loadJoin())
  }

  loadExchange(batch: Parameters<StoreAdapter['loadExchange']>[0]): ReturnType<StoreAdapter['loadExchange']> {
    return this.#versioned(() => this.#rows.loadExchange(batch))
  }

  loadUpkeep(bounds: Parameters<StoreAdapter['loadUpkeep']>[0]): ReturnType<StoreAdapter['loadUpkeep']> {
    return this.#versioned(() => this.#rows.loadUpkeep(bounds))
  }

  loadSweep(max: number): ReturnType<StoreAdapter['loadSweep']> {
    return this.#versioned(() => this.#rows.loadSweep(max))
  }

  async read(names: Parameters<StoreAdapter['read']>[0]): Promise<Awaited<ReturnType<StoreAdapter['read']>>> {
    return this.#rows.read(names)
  }

  async list(range: Parameters<StoreAdapter['list']>[0]): Promise<Awaited<ReturnType<StoreAdapter['list']>>> {
    return this.#rows.list(range)
  }

  async owners(): Promise<Awaited<ReturnType<StoreAdapter['owners']>>> {
    return this.#rows.owners()
  }

  async close(): Promise<void> {}

  async #versioned<Rows>(load: () => Snapshot<Rows>): Promise<Snapshot<Rows>> {
    await turn()
    const snapshot = load()
    const version = this.#version
    return { ...snapshot, save: (writes) => this.#save(snapshot, version, writes), release: () => turn() }
  }

  async #save(snapshot: Snapshot<unknown>, version: number, writes: Writes): Promise<boolean> {
    await turn()
    if (version !== this.#version) {
      this.moved += 1
      return false
    }
    this.#version += 1
    return snapshot.save(writes)
  }
}

/** Until the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
