import type { Inspection, InspectedRow, UnreadableRow } from '../core/inspection.ts'
import type { CounterRow } from '../core/rows.ts'
import { CommandError } from './report.ts'
import type { StorePlace } from './stores/store-place.ts'

/** What is done with each row. */
export interface RowVisitor {
  readonly row: (row: InspectedRow) => void
  readonly unreadable: (row: UnreadableRow) => void
}

/** Runs `work` on the rows of a store. Owners may go on writing. @throws CommandError, StoreError */
export async function inspecting<T>(place: StorePlace, work: (inspection: Inspection) => Promise<T>): Promise<T> {
  const inspection = await place.inspect()
  try {
    return await work(inspection)
  } finally {
    await inspection.close()
  }
}

/**
 * Call it before rows are read: a client may end the process when it reads text that is none.
 * @param damage of `Inspection.textDamage`
 * @throws CommandError `store_damaged`
 */
export function assertReadable({ name }: StorePlace, [finding]: readonly string[]): void {
  if (finding === undefined) return
  throw new CommandError('store_damaged', `${name} is damaged: ${finding}; restore it from a backup`)
}

/** Whether the place itself is damaged, by its own errors or by `assertReadable`. */
export function isStoreDamage(place: StorePlace, error: unknown): error is Error {
  if (error instanceof CommandError) return error.code === 'store_damaged'
  return place.isDamage(error)
}

/** Visits every budget row, or every period of one key, in (key, period) order. */
export async function visitRows(inspection: Inspection, visitor: RowVisitor, key?: string): Promise<void> {
  for await (const { rows, unreadable } of inspection.pages(key)) {
    for (const row of rows) visitor.row(row)
    for (const row of unreadable) visitor.unreadable(row)
  }
}

/** Every counter. */
export async function countersOf(inspection: Inspection): Promise<readonly CounterRow[]> {
  const counters: CounterRow[] = []
  for await (const page of inspection.counterPages()) counters.push(...page)
  return counters
}

/** The error for a key without a row. It may be the name of a counter. @param more what may be the reason otherwise */
export async function unknownBudget(
  { name }: StorePlace,
  inspection: Inspection,
  key: string,
  more = '',
): Promise<CommandError> {
  const counters = await countersOf(inspection)
  const reason = counters.some((counter) => counter.key === key)
    ? `: '${key}' is a counter, which has no limit and denies nothing; vsa inspect shows its value`
    : more
  return new CommandError('unknown_key', `${name} has no budget called '${key}'${reason}`)
}
