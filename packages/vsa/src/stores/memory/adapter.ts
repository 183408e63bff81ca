import type {
  ExchangeRows,
  JoinRows,
  Snapshot,
  StoreAdapter,
  StoreTime,
  UpkeepBounds,
  UpkeepRows,
  Writes,
} from '../../core/adapter.ts'
import { BATCH_ENTRIES_MAX, type Batch, type RowName } from '../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange, StoreCapabilities } from '../../core/store.ts'
import { StoreClock } from '../../core/store-clock.ts'
import { list } from './list.ts'
import { loadExchange, loadUpkeep } from './load.ts'
import { MemoryRows } from './rows.ts'
import { save } from './save.ts'

/** Keeps the rows in this process's memory: for tests, and the shortest example of an adapter. */
export class MemoryAdapter implements StoreAdapter {
  readonly capabilities: StoreCapabilities = { batchMax: BATCH_ENTRIES_MAX }
  readonly leaseTtlMs: number
  readonly #rows = new MemoryRows()
  readonly #clock: StoreClock

  /** @param now store time, ms since 1970 */
  constructor(now: () => number, leaseTtlMs: number) {
    this.leaseTtlMs = leaseTtlMs
    this.#clock = new StoreClock(now, leaseTtlMs)
  }

  ready(): void {}

  loadJoin(): Snapshot<JoinRows> {
    return this.#snapshot(() => ({ lastEpoch: this.#rows.lastEpoch, process: null }))
  }

  loadExchange(batch: Batch): Snapshot<ExchangeRows> {
    return this.#snapshot((time) => loadExchange(this.#rows, batch, time))
  }

  loadUpkeep(bounds: UpkeepBounds): Snapshot<UpkeepRows> {
    return this.#snapshot((_time, at) => loadUpkeep(this.#rows, bounds, at))
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
      save: (writes: Writes) => {
        save(this.#rows, writes)
        this.#clock.kept()
        return true
      },
      release: () => undefined,
    }
  }
}
