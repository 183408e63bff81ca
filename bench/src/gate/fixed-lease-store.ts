import type { Batch, Entry, Store } from 'vsa'

/**
 * The store, with every lease as large as `units`. Leases grow with what is spent; here the gate is measured, and not how leases find
 * their size. The store holds what it lends, so its books balance.
 */
export function withFixedLeases(store: Store, units: number): Store {
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
