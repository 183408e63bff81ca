import type { ListedRow } from '../core/store.ts'
import { type TrialBalance, trialBalance } from '../core/trial-balance.ts'
import { inspecting, rowsOf } from './store-reader.ts'

/** The sums over the rows of a store, in units. */
export interface StoreTotals {
  readonly rows: number
  readonly minted: number
  readonly used: number
  readonly pool: number
  readonly burned: number
  /** In leases. */
  readonly leased: number
  /** Rows that do not balance. */
  readonly faulty: readonly FaultyRow[]
}

/** A row that does not balance. In the words of the command line, a row's leases are `leased`. */
export interface FaultyRow extends Omit<TrialBalance, 'held'> {
  readonly leased: number
  /** The end of the row's period, ms since 1970; null without windows. */
  readonly endsAt: number | null
}

/** Adds up rows, and checks the trial balance of each. */
export class RowTotals {
  readonly #sum = { rows: 0, minted: 0, used: 0, pool: 0, burned: 0, leased: 0 }
  readonly #faulty: FaultyRow[] = []

  add(row: ListedRow): void {
    const { held: leased, ...balance } = trialBalance(row)
    const sum = this.#sum
    sum.rows++
    sum.minted += balance.minted
    sum.used += balance.used
    sum.pool += balance.pool
    sum.burned += balance.burned
    sum.leased += leased
    if (balance.faults.length > 0) this.#faulty.push({ ...balance, leased, endsAt: row.budget.endsAt })
  }

  get totals(): StoreTotals {
    return { ...this.#sum, faulty: [...this.#faulty] }
  }
}

/** Adds up the rows whose key `includes` accepts, as of one moment, and checks the trial balance of each. Default: every row. */
export function readTotals(path: string, includes: (key: string) => boolean = () => true): Promise<StoreTotals> {
  return inspecting(path, (inspection) => {
    const sum = new RowTotals()
    for (const row of rowsOf(inspection)) if (includes(row.budget.key)) sum.add(row)
    return sum.totals
  })
}
