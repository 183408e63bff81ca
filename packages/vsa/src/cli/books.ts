import { type TrialBalance, trialBalance } from '../core/trial-balance.ts'
import { inspecting, rowsOf } from './store-reader.ts'

/** All rows of a store added up, in units. */
export interface Books {
  readonly rows: number
  readonly minted: number
  readonly used: number
  readonly pool: number
  readonly burned: number
  readonly held: number
  /** Rows that do not add up. */
  readonly faulty: readonly TrialBalance[]
}

/** Draws the trial balance of every row that `includes` names, as of one moment. Default: every row. */
export function readBooks(path: string, includes: (key: string) => boolean = () => true): Promise<Books> {
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
