import type { Answer, Batch, RowName } from '../../core/exchange.ts'
import { exchangeOn, joinOwner, keepsTime } from '../../core/housekeeping.ts'
import type { BudgetRow, OwnerRow } from '../../core/ledger.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from '../../core/store.ts'
import { StoreClock } from '../../core/store-clock.ts'
import { BATCH_ENTRIES_MAX } from '../../core/exchange.ts'
import { MemoryLedger } from './ledger.ts'

/** Nobody's process is known here, so nobody is known to be dead. */
const nobodyIsGone = (): boolean => false

/** Keeps the books in this process's memory: for tests, and as the specification of every other store. */
export class MemoryStore implements Store {
  readonly capabilities: StoreCapabilities = { mayForget: false, batchMax: BATCH_ENTRIES_MAX }
  readonly #ledger = new MemoryLedger()
  readonly #clock: StoreClock
  readonly #leaseTtlMs: number

  constructor(now: () => number, leaseTtlMs: number) {
    this.#clock = new StoreClock(now, leaseTtlMs)
    this.#leaseTtlMs = leaseTtlMs
  }

  async join(label: string): Promise<Joined> {
    const joining = { label, leaseTtlMs: this.#leaseTtlMs, process: null }
    const joined = joinOwner(this.#ledger, joining, this.#clock.read(this.#ledger.timeSeen()), nobodyIsGone)
    this.#clock.kept()
    return joined
  }

  /** Copies what crosses the border, as a wire would: neither side can change what the other keeps. */
  async exchange(batch: Batch): Promise<Answer> {
    const time = this.#clock.read(this.#ledger.timeSeen())
    const answer = exchangeOn(this.#ledger, structuredClone(batch), time, nobodyIsGone)
    if (keepsTime(answer)) this.#clock.kept()
    return structuredClone(answer)
  }

  async read(names: readonly RowName[]): Promise<readonly BudgetRow[]> {
    return names.flatMap(({ key, period }) => this.#ledger.budget(key, period) ?? [])
  }

  async list({ key, after, limit }: ListRange): Promise<ListPage> {
    const rows = this.#ledger
      .allBudgets()
      .filter((row) => (key === undefined || row.key === key) && isAfter(row, after))
    return { rows: rows.slice(0, limit).map((budget) => ({ budget, leases: this.#ledger.leasesOn(budget) })) }
  }

  async owners(): Promise<readonly OwnerRow[]> {
    return this.#ledger.allOwners()
  }

  /** Keeps the books: another engine may open the same store again. */
  async close(): Promise<void> {}
}

function isAfter(row: RowName, after: RowName | undefined): boolean {
  if (after === undefined) return true
  return row.key > after.key || (row.key === after.key && row.period > after.period)
}
