import type { ListPage, OwnerRow, ReservationRow } from '../../../packages/vsa/dist/index.js'
import { rowName } from './process-totals.ts'
import { isSame, type RowView, rowViewOf } from './row-view.ts'

/** What the audit reads of the store. */
export interface Readable {
  list(): Promise<ListPage>
  owners(): Promise<readonly OwnerRow[]>
  reservations(): readonly ReservationRow[]
}

/** By name. */
export async function readRows(store: Readable): Promise<ReadonlyMap<string, RowView>> {
  const { rows } = await store.list()
  return new Map(rows.map((row) => [rowName(row.budget.key, row.budget.period), rowViewOf(row)]))
}

/** Whether a row was removed, or a lease burned. */
export function areChanged(before: ReadonlyMap<string, RowView>, after: ReadonlyMap<string, RowView>): boolean {
  for (const [name, was] of before) {
    const row = after.get(name)
    if (row === undefined || !isSame({ name, was, row })) return true
  }
  return false
}
