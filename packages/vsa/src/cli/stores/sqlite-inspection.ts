import type { RowName } from '../../core/exchange.ts'
import type { InspectedPage, Inspection, ReservationPage, UnreadableRow } from '../../core/inspection.ts'
import type { CounterRow } from '../../core/rows.ts'
import type { ListedRow, ListRange } from '../../core/store.ts'
import type * as sqlite from '../../stores/sqlite/inspect.ts'
import { unlessUnreadable } from './unless-unreadable.ts'

const PAGE_ROWS = 1_000

/** The snapshot of a SQLite file, which is read without waiting, as an inspection. All pages are of one moment. */
export function sqliteInspection(file: sqlite.Inspection): Inspection {
  return {
    pages: (key) => pagesOf(file, key),
    owners: async () => file.owners(),
    counterPages: () => counterPagesOf(file),
    reservationPages,
    integrity: async () => file.integrity(),
    textDamage: async () => file.textDamage(),
    close: async () => file.close(),
  }
}

async function* pagesOf(file: sqlite.Inspection, key: string | undefined): AsyncGenerator<InspectedPage> {
  let after: RowName | undefined
  do {
    const { last, ...page } = pageOf(file, rangeOf(key, after))
    if (last !== undefined) yield page
    after = last
  } while (after !== undefined)
}

function rangeOf(key: string | undefined, after: RowName | undefined): ListRange {
  return { ...(key === undefined ? {} : { key }), ...(after === undefined ? {} : { after }), limit: PAGE_ROWS }
}

interface Page extends InspectedPage {
  /** Undefined when there is none. */
  readonly last: RowName | undefined
}

function pageOf(file: sqlite.Inspection, range: ListRange): Page {
  const rows = unlessUnreadable(() => file.list(range).rows)
  if (typeof rows === 'string') return oneByOne(file, file.names(range))
  const last = rows.at(-1)?.budget
  return { rows, unreadable: [], last: last === undefined ? undefined : { key: last.key, period: last.period } }
}

function oneByOne(file: sqlite.Inspection, names: readonly RowName[]): Page {
  const found: ListedRow[] = []
  const unreadable: UnreadableRow[] = []
  for (const { key, period } of names) {
    const rows = unlessUnreadable(() => file.list({ key, after: { key, period: period - 1 }, limit: 1 }).rows)
    if (typeof rows === 'string') unreadable.push({ key, period, detail: rows })
    else found.push(...rows)
  }
  return { rows: found, unreadable, last: names.at(-1) }
}

/** Not built yet. */
async function* reservationPages(): AsyncGenerator<ReservationPage> {}

async function* counterPagesOf(file: sqlite.Inspection): AsyncGenerator<readonly CounterRow[]> {
  let rows = file.counters({ limit: PAGE_ROWS })
  while (rows.length > 0) {
    yield rows
    const last = rows.at(-1)
    rows = last === undefined ? [] : file.counters({ after: last.key, limit: PAGE_ROWS })
  }
}
