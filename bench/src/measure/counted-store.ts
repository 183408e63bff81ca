import type { Batch, Store } from 'vsa'

/** What engines asked of a store, and what it wrote for them. */
export interface StoreCounts {
  /** Store calls that may write. */
  exchanges: number
  /** Store calls that only read. */
  reads: number
  /** Budget and counter rows written because units or values changed, as the store's answers say (L7). */
  records: number
  /** Lease rows written, and budget rows written only because units moved between pool and lease. */
  leaseRecords: number
  /** The batches of all exchanges, each as {@link bytesOf} has it. */
  bytes: number
}

/**
 * The store, and the counts of all calls through it. Several engines may share one.
 * @param options `sizes`: false where bytes are not wanted, which take time to count. Default true
 */
export function countedStore(
  store: Store,
  { sizes = true }: { readonly sizes?: boolean } = {},
): { readonly store: Store; readonly counts: StoreCounts } {
  const counts: StoreCounts = { exchanges: 0, reads: 0, records: 0, leaseRecords: 0, bytes: 0 }
  const counted: Store = {
    ...passedOn(store),
    exchange: async (batch) => {
      counts.exchanges += 1
      if (sizes) counts.bytes += bytesOf(batch)
      const answer = await store.exchange(batch)
      if (answer.kind === 'applied') {
        counts.records += answer.written.records
        counts.leaseRecords += answer.written.leaseRecords
      }
      return answer
    },
    read: (names) => {
      counts.reads += 1
      return store.read(names)
    },
  }
  return { store: counted, counts }
}

/** Every call of the store as it is, for a wrapper that changes some of them. */
export function passedOn(store: Store): Store {
  return {
    capabilities: store.capabilities,
    join: (label) => store.join(label),
    exchange: (batch) => store.exchange(batch),
    read: (names) => store.read(names),
    list: (range) => store.list(range),
    owners: () => store.owners(),
    close: () => store.close(),
    ...(store.upkeep === undefined ? {} : { upkeep: store.upkeep.bind(store) }),
    ...(store.useClock === undefined ? {} : { useClock: store.useClock.bind(store) }),
  }
}

/** The bytes of a batch: its JSON in UTF-8. A batch is plain JSON data; what a driver adds differs from store to store, and is not in it. */
function bytesOf(batch: Batch): number {
  return Buffer.byteLength(JSON.stringify(batch))
}
