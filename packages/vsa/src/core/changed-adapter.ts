import type { StoreAdapter } from './adapter.ts'

/** An adapter with some of its methods replaced, and without its fast path, which would go past them. */
export function changedAdapter(adapter: StoreAdapter, methods: Partial<StoreAdapter>): StoreAdapter {
  const loadDeletion = adapter.loadDeletion?.bind(adapter)
  return {
    capabilities: adapter.capabilities,
    leaseTtlMs: adapter.leaseTtlMs,
    ...(adapter.intents && { intents: adapter.intents }),
    ready: () => adapter.ready(),
    loadJoin: () => adapter.loadJoin(),
    loadExchange: (batch) => adapter.loadExchange(batch),
    loadUpkeep: (bounds) => adapter.loadUpkeep(bounds),
    loadSweep: (max) => adapter.loadSweep(max),
    ...(loadDeletion && { loadDeletion }),
    read: (names) => adapter.read(names),
    list: (range) => adapter.list(range),
    owners: () => adapter.owners(),
    close: () => adapter.close(),
    ...methods,
  }
}
