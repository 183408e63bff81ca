import type {
  DeletionRows,
  ExchangeRows,
  JoinRows,
  Snapshot,
  StoreAdapter,
  StoreTime,
  SweepRows,
  UpkeepBounds,
  UpkeepRows,
} from '../../core/adapter.ts'
import type { Writes } from '../../core/written-rows.ts'
import { BATCH_ENTRIES_MAX, type Batch, type RowName } from '../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange, StoreCapabilities } from '../../core/store.ts'
import { StoreClock } from '../../core/store-clock.ts'
import { list } from './list.ts'
import { loadDeletion, loadExchange, loadSweep, loadUpkeep } from './load.ts'
import type { MemoryPast } from './past.ts'
import { MemoryRows } from './rows.ts'
import { save } from './save.ts'

/** Keeps the rows in this process's memory: for tests, and the shortest example of an adapter. */
export class MemoryAdapter implements StoreAdapter {
  readonly capabilities: StoreCapabilities = { batchMax: BATCH_ENTRIES_MAX }
  readonly leaseTtlMs: number
  readonly #clock: StoreClock
  readonly #kept: MemoryRows
  /** Null where the store never forgets. */
  readonly #past: MemoryPast | null

  /**
   * @param now store time, ms since 1970
   * @param past makes it a store that may forget
   */
  constructor(now: () => number, leaseTtlMs: number, past: MemoryPast | null = null) {
    this.leaseTtlMs = leaseTtlMs
    this.#kept = past?.rows ?? new MemoryRows()
    this.#past = past
    this.#clock = new StoreClock(now, leaseTtlMs)
  }

  /** Other ones after the store has forgotten. */
  get #rows(): MemoryRows {
    return this.#past === null ? this.#kept : this.#past.rows
  }

  ready(): void {}

  loadJoin(): Snapshot<JoinRows> {
    return this.#snapshot(() => ({ lastEpoch: this.#rows.lastEpoch, process: null }))
  }

  loadExchange(batch: Batch): Snapshot<ExchangeRows> {
    return this.#snapshot((time) => loadExchange(this.#rows, batch, time, this.#past !== null))
  }

  loadUpkeep(bounds: UpkeepBounds): Snapshot<UpkeepRows> {
    return this.#snapshot((_time, at) => loadUpkeep(this.#rows, bounds, at))
  }

  loadSweep(max: number): Snapshot<SweepRows> {
    return this.#snapshot((time) => loadSweep(this.#rows, max, time))
  }

  loadDeletion(key: string, max: number): Snapshot<DeletionRows> {
    return this.#snapshot(() => loadDeletion(this.#rows, key, max))
  }

  read(names: readonly RowName[]): readonly BudgetRow[] {
    return names.flatMap((name) => this.#rows.budget(name) ?? [])
  }

  list(range: ListRange): ListPage {
    return list(this.#rows, range)
  }

  owners(): readonly OwnerRow[] {
    return this.#rows.owners()
  }

  /** Does not drop the rows: another engine may open the same store again. */
  close(): void {}

  /** The caller saves or releases in the same turn, so no lock or version is needed. */
  #snapshot<Rows>(load: (time: number, at: StoreTime) => Rows): Snapshot<Rows> {
    const at = this.#clock.read(this.#rows.timeSeen)
    return {
      ...at,
      rows: load(at.time, at),
      ...(this.#past === null ? {} : { life: this.#past.life }),
      save: (writes: Writes) => {
        if (this.#past === null) save(this.#kept, writes)
        else this.#past.save(writes)
        this.#clock.kept()
        return true
      },
      release: () => undefined,
    }
  }
}
