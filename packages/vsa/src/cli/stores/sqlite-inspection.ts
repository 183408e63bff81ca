import type { RowName } from '../../core/exchange.ts'
import type { InspectedPage, InspectedRow, Inspection, ReservationPage, UnreadableRow } from '../../core/inspection.ts'
import { setAside } from '../../core/reservations/names.ts'
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
    reservationPages: (key) => reservationPagesOf(file, key),
    integrity: async () => file.integrity(),
    textDamage: async () => file.textDamage(),
    close: async () => file.close(),
  }
}

async function* pagesOf(file: sqlite.Inspection, key: string | undefined): AsyncGenerator<InspectedPage> {
  const hasReservations = file.reservations({ limit: 1 }).last !== undefined
  let after: RowName | undefined
  do {
    const { last, rows, unreadable } = pageOf(file, rangeOf(key, after))
    if (last !== undefined) yield { rows: hasReservations ? rows.map(charging(file)) : rows.map(uncharged), unreadable }
    after = last
  } while (after !== undefined)
}

function uncharged(row: ListedRow): InspectedRow {
  return { ...row, charged: 0 }
}

/** R2. The rows of one key follow each other: its reservations are added up once. */
function charging(file: sqlite.Inspection): (row: ListedRow) => InspectedRow {
  let last: { readonly key: string; readonly byPeriod: ReadonlyMap<number, number> } | undefined
  return (row) => {
    const { key, period } = row.budget
    if (last?.key !== key) last = { key, byPeriod: chargedOf(file, key) }
    return { ...row, charged: last.byPeriod.get(period) ?? 0 }
  }
}

/** What the open and expired reservations of a key have charged, by period. */
function chargedOf(file: sqlite.Inspection, key: string): ReadonlyMap<number, number> {
  const byPeriod = new Map<number, number>()
  for (const { rows } of reservationLists(file, key)) {
    for (const { key: charged, period, charged: units } of rows.flatMap(setAside))
      if (charged === key && period !== null) byPeriod.set(period, (byPeriod.get(period) ?? 0) + units)
  }
  return byPeriod
}

async function* reservationPagesOf(file: sqlite.Inspection, key: string | undefined): AsyncGenerator<ReservationPage> {
  for (const { rows, unreadable } of reservationLists(file, key)) yield { rows, unreadable }
}

function* reservationLists(file: sqlite.Inspection, key: string | undefined): Generator<sqlite.ReservationList> {
  const range = { ...(key !== undefined && { key }), limit: PAGE_ROWS }
  for (let page = file.reservations(range); page.last !== undefined;) {
    yield page
    page = file.reservations({ ...range, after: page.last })
  }
}

function rangeOf(key: string | undefined, after: RowName | undefined): ListRange {
  return { ...(key === undefined ? {} : { key }), ...(after === undefined ? {} : { after }), limit: PAGE_ROWS }
}

interface Page {
  readonly rows: readonly ListedRow[]
  readonly unreadable: readonly UnreadableRow[]
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

async function* counterPagesOf(file: sqlite.Inspection): AsyncGenerator<readonly CounterRow[]> {
  let rows = file.counters({ limit: PAGE_ROWS })
  while (rows.length > 0) {
    yield rows
    const last = rows.at(-1)
    rows = last === undefined ? [] : file.counters({ after: last.key, limit: PAGE_ROWS })
  }
}
