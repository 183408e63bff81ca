import { InvariantError, StoreError } from '../core/errors.ts'
import type { RowName } from '../core/exchange.ts'
import type { ListedRow, ListRange } from '../core/store.ts'
import { type CounterRow, type Inspection, openReadOnly } from '../stores/sqlite/inspect.ts'
import { isDamage } from '../stores/sqlite/errors.ts'
import { CommandError } from './report.ts'
import { existingStorePath } from './store-place.ts'

const PAGE_ROWS = 1_000

/** A row with a value that no store writes: another program, or a damaged disk, has changed the file. */
export interface UnreadableRow extends RowName {
  /** What was found there. */
  readonly detail: string
}

/** What is done with each row. */
export interface RowVisitor {
  readonly row: (row: ListedRow) => void
  readonly unreadable: (row: UnreadableRow) => void
}

/** Runs `work` on a snapshot of the store's file. Owners may go on writing. @throws CommandError, StoreError */
export async function inspecting<T>(path: string, work: (inspection: Inspection) => T): Promise<T> {
  const inspection = await openReadOnly(existingStorePath(path))
  try {
    return work(inspection)
  } finally {
    inspection.close()
  }
}

/**
 * Call it before rows are read: a client may end the process when it reads text that is none.
 * @param damage of `Inspection.textDamage`
 * @throws CommandError `store_damaged`
 */
export function assertReadable(path: string, [finding]: readonly string[]): void {
  if (finding === undefined) return
  throw new CommandError('store_damaged', `${path} is damaged: ${finding}; restore it from a backup`)
}

/** Whether the file itself is damaged, by SQLite or by `assertReadable`. */
export function isStoreDamage(error: unknown): error is Error {
  if (error instanceof CommandError) return error.code === 'store_damaged'
  return error instanceof StoreError && error.code !== 'not_a_database' && isDamage(error.cause)
}

/** Visits every budget row, or every period of one key, page by page. One row that cannot be read does not hide the others. */
export function visitRows(inspection: Inspection, visitor: RowVisitor, key?: string): void {
  let after: RowName | undefined
  do after = visitPage(inspection, visitor, rangeOf(key, after))
  while (after !== undefined)
}

function rangeOf(key: string | undefined, after: RowName | undefined): ListRange {
  return { ...(key === undefined ? {} : { key }), ...(after === undefined ? {} : { after }), limit: PAGE_ROWS }
}

/** @returns the last row of the page; undefined when there is none */
function visitPage(inspection: Inspection, visitor: RowVisitor, range: ListRange): RowName | undefined {
  const rows = unlessUnreadable(() => inspection.list(range).rows)
  if (typeof rows === 'string') return visitOneByOne(inspection, visitor, range)
  for (const row of rows) visitor.row(row)
  return nameOf(rows.at(-1))
}

function visitOneByOne(inspection: Inspection, visitor: RowVisitor, range: ListRange): RowName | undefined {
  const names = inspection.names(range)
  for (const { key, period } of names) {
    const rows = unlessUnreadable(() => inspection.list({ key, after: { key, period: period - 1 }, limit: 1 }).rows)
    if (typeof rows === 'string') visitor.unreadable({ key, period, detail: rows })
    else for (const row of rows) visitor.row(row)
  }
  return names.at(-1)
}

function nameOf(row: ListedRow | undefined): RowName | undefined {
  return row === undefined ? undefined : { key: row.budget.key, period: row.budget.period }
}

/** What `read` returns, or a text that says which value cannot be read. @throws the errors of the store */
export function unlessUnreadable<T extends object>(read: () => T): T | string {
  try {
    return read()
  } catch (error) {
    // An outcome that is no JSON is a value of the file, too.
    if (!(error instanceof InvariantError || error instanceof SyntaxError)) throw error
    return error.message
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
