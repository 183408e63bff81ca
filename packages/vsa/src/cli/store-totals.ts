import { type TrialBalance, trialBalance } from '../core/trial-balance.ts'
import { inspecting, rowsOf } from './store-reader.ts'

/** The sums over the rows of a store, in units. */
export interface StoreTotals {
  readonly rows: number
  readonly minted: number
  readonly used: number
  readonly pool: number
  readonly burned: number
  readonly held: number
  /** Rows that do not balance. */
  readonly faulty: readonly TrialBalance[]
}

/** Adds up the rows whose key `includes` accepts, as of one moment, and checks the trial balance of each. Default: every row. */
export function readTotals(path: string, includes: (key: string) => boolean = () => true): Promise<StoreTotals> {
  return inspecting(path, (inspection) => {
    const sum = { rows: 0, minted: 0, used: 0, pool: 0, burned: 0, held: 0 }
    const faulty: TrialBalance[] = []
    for (const row of rowsOf(inspection)) {
      if (!includes(row.budget.key)) continue
      const balance = trialBalance(row)
      sum.rows++
      sum.minted += balance.minted
      sum.used += balance.used
      sum.pool += balance.pool
      sum.burned += balance.burned
      sum.held += balance.held
      if (balance.faults.length > 0) faulty.push(balance)
    }
    return { ...sum, faulty }
  })
}
