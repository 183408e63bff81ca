import type { Batch, Entry, Store } from 'vsa'

/**
 * The store, but every lease that is asked for is lent as that many units: an engine's leases grow by what is spent, and the gate alone
 * is to be measured, not how it finds its size. The books are the store's own: what is held is held.
 */
export function lending(store: Store, units: number): Store {
  return {
    capabilities: store.capabilities,
    exchange: (batch: Batch) =>
      store.exchange({ ...batch, entries: batch.entries.map((entry) => enlarged(entry, units)) }),
    join: (label) => store.join(label),
    read: (names) => store.read(names),
    list: (range) => store.list(range),
    owners: () => store.owners(),
    close: () => store.close(),
  }
}

function enlarged(entry: Entry, units: number): Entry {
  return entry.kind === 'budget' && entry.hold > 0 ? { ...entry, hold: units } : entry
}
