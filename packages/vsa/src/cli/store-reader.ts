import type { ListedRow } from '../core/store.ts'
import { type CounterRow, type Inspection, openReadOnly } from '../stores/sqlite/inspect.ts'
import { existingStorePath } from './store-place.ts'

const PAGE_ROWS = 1_000

/** Runs `work` on a snapshot of the store's file. Owners may go on writing. @throws CommandError, StoreError */
export async function inspecting<T>(path: string, work: (inspection: Inspection) => T): Promise<T> {
  const inspection = await openReadOnly(existingStorePath(path))
  try {
    return work(inspection)
  } finally {
    inspection.close()
  }
}

/** Every budget row, or every period of one key, page by page. */
export function* rowsOf(inspection: Inspection, key?: string): Generator<ListedRow> {
  const only = key === undefined ? {} : { key }
  let rows = inspection.list({ ...only, limit: PAGE_ROWS }).rows
  while (rows.length > 0) {
    yield* rows
    const last = rows.at(-1)?.budget
    rows =
      last === undefined
        ? []
        : inspection.list({ ...only, after: { key: last.key, period: last.period }, limit: PAGE_ROWS }).rows
  }
}

/** Every counter, page by page. */
export function* countersOf(inspection: Inspection): Generator<CounterRow> {
  let rows = inspection.counters({ limit: PAGE_ROWS })
  while (rows.length > 0) {
    yield* rows
    const last = rows.at(-1)
    rows = last === undefined ? [] : inspection.counters({ after: last.key, limit: PAGE_ROWS })
  }
}
