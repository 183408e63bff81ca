import type {
  Awaitable,
  ExchangeRows,
  JoinRows,
  Snapshot,
  StoreAdapter,
  SweepRows,
  UpkeepRows,
} from '../../src/core/adapter.ts'
import type { Writes } from '../../src/core/written-rows.ts'
import { storeFrom } from '../../src/store-from.ts'
import type { Store } from '../../src/core/store.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import type { StoreNeeds } from '../../src/testing/index.ts'

/** One planted bug: what an adapter loads, saves or says of the time, or what a store answers, is changed on its way. */
export interface Bug {
  readonly join?: (rows: JoinRows) => JoinRows
  readonly exchange?: (rows: ExchangeRows) => ExchangeRows
  readonly upkeep?: (rows: UpkeepRows, honest: MemoryAdapter, time: number) => UpkeepRows
  readonly writes?: (writes: Writes, honest: MemoryAdapter) => Writes
  /** @param kept the latest time that was saved */
  readonly time?: (now: number, kept: number) => number
  readonly store?: (honest: Store) => Partial<Store>
}

/** A memory store with a bug in it. */
export function tamperedStore({ now, leaseTtlMs }: StoreNeeds, bug: Bug): Store {
  const adapter = new TamperedAdapter(new MemoryAdapter(now, leaseTtlMs), now, bug)
  const honest = storeFrom(adapter, { now, upkeepEveryMs: 0 })
  const base: Store = {
    capabilities: honest.capabilities,
    join: (label) => honest.join(label),
    exchange: (batch) => honest.exchange(batch),
    read: (names) => honest.read(names),
    list: (range) => honest.list(range),
    owners: () => honest.owners(),
    close: () => honest.close(),
  }
  return { ...base, ...bug.store?.(honest) }
}

class TamperedAdapter implements StoreAdapter {
  readonly capabilities: StoreAdapter['capabilities']
  readonly leaseTtlMs: number
  readonly #honest: MemoryAdapter
  readonly #now: () => number
  readonly #bug: Bug
  #kept = 0

  constructor(honest: MemoryAdapter, now: () => number, bug: Bug) {
    this.capabilities = honest.capabilities
    this.leaseTtlMs = honest.leaseTtlMs
    this.#honest = honest
    this.#now = now
    this.#bug = bug
  }

  ready(): void {
    this.#honest.ready()
  }

  loadJoin(): Snapshot<JoinRows> {
    return this.#tamper(this.#honest.loadJoin(), (rows) => this.#bug.join?.(rows) ?? rows)
  }

  loadExchange(batch: Parameters<StoreAdapter['loadExchange']>[0]): Snapshot<ExchangeRows> {
    return this.#tamper(this.#honest.loadExchange(batch), (rows) => this.#bug.exchange?.(rows) ?? rows)
  }

  loadUpkeep(bounds: Parameters<StoreAdapter['loadUpkeep']>[0]): Snapshot<UpkeepRows> {
    const honest = this.#honest
    return this.#tamper(honest.loadUpkeep(bounds), (rows, time) => this.#bug.upkeep?.(rows, honest, time) ?? rows)
  }

  loadSweep(max: number): Snapshot<SweepRows> {
    return this.#tamper(this.#honest.loadSweep(max), (rows) => rows)
  }

  read(names: Parameters<StoreAdapter['read']>[0]): ReturnType<StoreAdapter['read']> {
    return this.#honest.read(names)
  }

  list(range: Parameters<StoreAdapter['list']>[0]): ReturnType<StoreAdapter['list']> {
    return this.#honest.list(range)
  }

  owners(): ReturnType<StoreAdapter['owners']> {
    return this.#honest.owners()
  }

  close(): Awaitable<void> {
    return this.#honest.close()
  }

  #tamper<Rows>(snapshot: Snapshot<Rows>, change: (rows: Rows, time: number) => Rows): Snapshot<Rows> {
    const time = this.#bug.time?.(this.#now(), this.#kept) ?? snapshot.time
    return {
      ...snapshot,
      rows: change(snapshot.rows, time),
      time,
      save: (writes) => {
        this.#kept = Math.max(this.#kept, writes.time)
        return snapshot.save(this.#bug.writes?.(writes, this.#honest) ?? writes)
      },
      release: () => snapshot.release(),
    }
  }
}
