import { open, storeFrom, VsaError } from '../../src/index.ts'
import type { Batch } from '../../src/core/exchange.ts'
import type { BudgetRow } from '../../src/core/rows.ts'
import type { Store } from '../../src/core/store.ts'
import type { Decision, OpenOptions, Vsa, VsaEvent } from '../../src/index.ts'
import type { MemoryPast } from '../../src/stores/memory/past.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { faultyStore, manualClock } from '../../src/testing/index.ts'
import type { FaultyStore, ManualClock } from '../../src/testing/index.ts'

/** A store in memory, a clock that stands still, and as many engines as a test opens. */
export interface Bench {
  readonly clock: ManualClock
  readonly books: Store
  /** Rows that a deletion removed, as they were. */
  readonly deleted: readonly BudgetRow[]
  /** A new engine on the same books, behind a network of its own. */
  owner(options?: Partial<OpenOptions>, cut?: 'refuse' | 'hang'): Owner
  row(key: string, period?: number): Promise<BudgetRow>
  /** The store takes the owner's process for dead: the next upkeep ends its epoch, though it may hold nothing (S8). */
  reap(owner: Owner): void
}

export interface Owner {
  readonly vsa: Vsa
  readonly net: FaultyStore
  readonly events: VsaEvent[]
  /** Every batch that was sent, also those sent again. */
  readonly batches: Batch[]
}

/** @param options `past`: of a store that may forget */
export function bench(options: { readonly leaseTtlMs?: number; readonly past?: MemoryPast } = {}): Bench {
  const clock = manualClock()
  const adapter = new MemoryAdapter(() => clock.now(), options.leaseTtlMs ?? 10_000, options.past)
  const gone = new Set<number>()
  const loadUpkeep = adapter.loadUpkeep.bind(adapter)
  adapter.loadUpkeep = (bounds) => {
    const { rows, ...snapshot } = loadUpkeep(bounds)
    const open = rows.open.map((one) => ({ ...one, isGone: gone.has(one.owner.epoch) }))
    return { ...snapshot, rows: { ...rows, open } }
  }
  const deleted: BudgetRow[] = []
  const loadDeletion = adapter.loadDeletion.bind(adapter)
  adapter.loadDeletion = (key, max) => {
    const snapshot = loadDeletion(key, max)
    return {
      ...snapshot,
      save: (writes) => {
        deleted.push(...adapter.read(writes.deletion?.budgets ?? []))
        return snapshot.save(writes)
      },
    }
  }
  const books = storeFrom(adapter, { now: () => clock.now() })
  return {
    clock,
    books,
    deleted,
    reap: ({ vsa }) => void gone.add(vsa.stats().epoch ?? 0),
    owner: (more = {}, cut) => {
      const net = faultyStore(books, { clock })
      if (cut !== undefined) net.cut(cut)
      const batches: Batch[] = []
      const events: VsaEvent[] = []
      const store: Store = {
        capabilities: net.capabilities,
        join: (label) => net.join(label),
        exchange: (batch) => {
          batches.push(batch)
          return net.exchange(batch)
        },
        delete: async (key) => net.delete?.(key) ?? true,
        read: (names) => net.read(names),
        list: (range) => net.list(range),
        owners: () => net.owners(),
        close: () => net.close(),
      }
      const onEvent = (event: VsaEvent): void => {
        events.push(event)
        failOnBug(event)
      }
      const vsa = open({ store, clock, random: () => 0.5, onEvent, ...more })
      return { vsa, net, events, batches }
    },
    row: async (key, period) => {
      const { rows } = await books.list({ key, limit: 1_000 })
      const found = rows.map((row) => row.budget).find((row) => period === undefined || row.period === period)
      if (found === undefined) throw new Error(`no row ${key}`)
      return found
    },
  }
}

/** The owner holds a lease: there is something to burn, so its epoch is reaped when it has expired (S8). */
export async function holdLease({ vsa }: Owner): Promise<void> {
  await vsa.budget('leased', { initial: 100, atRisk: 20 }).admit()
  if (vsa.stats().leasedUnits === 0) throw new Error('no lease')
}

/** A bug of the engine fails the test, as an error that nothing handles. */
export function failOnBug(event: VsaEvent): void {
  if (event.type !== 'internal_error') return
  queueMicrotask(() => {
    throw event.error
  })
}

/** The store refuses every batch with this key: its books do not balance. */
export function damage({ net }: Owner, clock: Bench['clock'], key: string): void {
  const exchange = net.exchange.bind(net)
  net.exchange = async (batch) => {
    const bad = batch.entries.find((entry) => entry.kind === 'budget' && entry.key === key)
    if (bad?.kind !== 'budget') return exchange(batch)
    return { kind: 'breach', time: clock.now(), row: { key, period: bad.period }, detail: 'planted' }
  }
}

/** The default flush interval. */
export const FLUSH_MS = 100

/** The store was reached, so the decision names a period. */
export function periodOf({ period }: Decision): number {
  if (period === undefined) throw new Error('the decision names no period')
  return period
}

/** For `catch`: what kind of failure it was. */
export function codeOf(error: unknown): string {
  if (error instanceof VsaError) return error.code
  throw error
}
