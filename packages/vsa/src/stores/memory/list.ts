import type { RowName } from '../../core/exchange.ts'
import type { ListPage, ListRange } from '../../core/store.ts'
import type { MemoryRows } from './rows.ts'

/** One page of budgets with their leases. */
export function list(rows: MemoryRows, { key, after, limit }: ListRange): ListPage {
  const found = rows.budgets().filter((row) => (key === undefined || row.key === key) && isAfter(row, after))
  return { rows: found.slice(0, limit).map((budget) => ({ budget, leases: [...rows.leasesOn(budget)] })) }
}

function isAfter(row: RowName, after: RowName | undefined): boolean {
  if (after === undefined) return true
  return row.key > after.key || (row.key === after.key && row.period > after.period)
}
