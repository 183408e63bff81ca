import type { Batch, Store } from 'vsa'

/** What an engine sent to a store. */
export interface Traffic {
  exchanges: number
  /** Rows whose used units the exchanges change. Each must be written once per exchange. */
  changedRows: number
}

/** The store, and a count of what an engine sends to it. */
export function watched(store: Store): { readonly store: Store; readonly traffic: Traffic } {
  const traffic: Traffic = { exchanges: 0, changedRows: 0 }
  const exchange = (batch: Batch): ReturnType<Store['exchange']> => {
    traffic.exchanges += 1
    traffic.changedRows += changedBy(batch)
    return store.exchange(batch)
  }
  return {
    traffic,
    store: {
      capabilities: store.capabilities,
      exchange,
      join: (label) => store.join(label),
      read: (names) => store.read(names),
      list: (range) => store.list(range),
      owners: () => store.owners(),
      close: () => store.close(),
    },
  }
}

function changedBy({ entries, takes }: Batch): number {
  const changed = new Set<number>()
  for (const [at, entry] of entries.entries())
    if (entry.kind === 'budget' && (entry.spent > 0 || entry.refund > 0)) changed.add(at)
  for (const take of takes) for (const [at] of take.need) changed.add(at)
  return changed.size
}
