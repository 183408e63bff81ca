import type { Answer, Batch, RowName } from '../../core/exchange.ts'
import { exchangeOn, joinOwner } from '../../core/housekeeping.ts'
import type { BudgetRow, OwnerRow } from '../../core/ledger.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from '../../core/store.ts'
import { BATCH_ENTRIES_MAX } from '../../core/exchange.ts'
import { MemoryLedger } from './ledger.ts'

/** Nobody's process is known here, so nobody is known to be dead. */
const nobodyIsGone = (): boolean => false

/** Keeps the books in this process's memory: for tests, and as the specification of every other store. */
export class MemoryStore implements Store {
  readonly capabilities: StoreCapabilities = { mayForget: false, batchMax: BATCH_ENTRIES_MAX }
  readonly #ledger = new MemoryLedger()
  readonly #now: () => number
  readonly #leaseTtlMs: number

  constructor(now: () => number, leaseTtlMs: number) {
    this.#now = now
    this.#leaseTtlMs = leaseTtlMs
  }

  async join(label: string): Promise<Joined> {
    return joinOwner(this.#ledger, { label, leaseTtlMs: this.#leaseTtlMs, process: null }, this.#now(), nobodyIsGone)
  }

  /** Copies what crosses the border, as a wire would: neither side can change what the other keeps. */
  async exchange(batch: Batch): Promise<Answer> {
    return structuredClone(exchangeOn(this.#ledger, structuredClone(batch), this.#now(), nobodyIsGone))
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
