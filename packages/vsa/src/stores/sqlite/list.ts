import { InvariantError } from '../../core/errors.ts'
import type { RowName } from '../../core/exchange.ts'
import type { ReservationPage, UnreadableReservation } from '../../core/inspection.ts'
import type { ReservationName } from '../../core/reservations/names.ts'
import type { BudgetRow, CounterRow, LeaseRow, OwnerRow, ReservationRow } from '../../core/rows.ts'
import type { ListPage, ListRange } from '../../core/store.ts'
import { assertWhole } from '../../core/units.ts'
import type { Row } from './client/driver.ts'
import {
  budgetFrom,
  integer,
  leaseFrom,
  ownerFrom,
  reservationFrom,
  reservationNameFrom,
  rowNameFrom,
  text,
} from './rows.ts'
import * as sql from './sql.ts'
import type { StatementCache } from './client/statement-cache.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'

/** Smaller than every key and every period. */
const BEFORE_ALL = { key: '', period: Number.MIN_SAFE_INTEGER }

/** The most rows of one page: a page is read and sent to another thread as one value. */
const PAGE_ROWS_MAX = 10_000

export interface CounterRange {
  /** Continue behind this key. */
  readonly after?: string
  /** The most rows, 1 to 10,000. */
  readonly limit: number
}

export interface ReservationRange {
  /** Only those of this key, of any of their budgets. */
  readonly key?: string
  /** Continue behind this one, as `last` told it. */
  readonly after?: ReservationName
  /** The most reservations, 1 to 10,000. */
  readonly limit: number
}

export interface ReservationList extends ReservationPage {
  /** Undefined where there is none left. */
  readonly last: ReservationName | undefined
}

/** @throws TypeError or RangeError: in SQLite a limit of -1 means no limit */
export function assertPageLimit(limit: number): void {
  assertWhole('limit', limit, { min: 1, max: PAGE_ROWS_MAX, of: 'rows' })
}

/** One page of budgets with their leases, keys in the order of their UTF-8 bytes. Inside one transaction. */
export function listBudgets(statements: StatementCache, range: ListRange): ListPage {
  return pageOf(statements, found(statements, range, sql.LIST, sql.LIST_KEY))
}

/** For an inspection, which writes nothing: an older file is read as it is. */
export function listBudgetsOfSchema2(statements: StatementCache, range: ListRange): ListPage {
  return pageOf(statements, found(statements, range, sql.LIST_OF_SCHEMA_2, sql.LIST_KEY_OF_SCHEMA_2))
}

function pageOf(statements: StatementCache, rows: readonly Row[]): ListPage {
  const budgets = rows.map(budgetFrom)
  const leases = leasesBetween(statements, budgets[0], budgets.at(-1))
  return { rows: budgets.map((budget) => ({ budget, leases: leases.get(nameOf(budget)) ?? [] })) }
}

/** The names of one page: also of rows that cannot be read. */
export function listNames(statements: StatementCache, range: ListRange): readonly RowName[] {
  return found(statements, range, sql.LIST_NAMES, sql.LIST_NAMES_KEY).map(rowNameFrom)
}

function found(statements: StatementCache, range: ListRange, ofAll: string, ofKey: string): readonly Row[] {
  const { key, after = BEFORE_ALL, limit } = range
  assertPageLimit(limit)
  return key === undefined
    ? statements.statement(ofAll).all([encodeText(after.key), after.period, limit])
    : statements.statement(ofKey).all([encodeText(key), periodAfter(key, after), limit])
}

/** Every owner row, oldest first. */
export function listOwners(statements: StatementCache): readonly OwnerRow[] {
  return statements
    .statement(sql.OWNERS)
    .all([])
    .map((row) => ownerFrom(row))
}

/** For an inspection, which writes nothing: an older file is read as it is. */
export function listOwnersOfSchema1(statements: StatementCache): readonly OwnerRow[] {
  return statements
    .statement(sql.OWNERS_OF_SCHEMA_1)
    .all([])
    .map((row) => ownerFrom(row))
}

export function listCounters(statements: StatementCache, { after = '', limit }: CounterRange): readonly CounterRow[] {
  assertPageLimit(limit)
  const rows = statements.statement(sql.LIST_COUNTERS).all([encodeText(after), limit])
  return rows.map((row) => ({ key: decodeText(text(row[0])), value: integer(row[1]) }))
}

/** One page of reservations, in the order of the bytes of their first keys and ids. */
export function listReservations(statements: StatementCache, range: ReservationRange): ReservationList {
  const { key, after = { key: '', id: '' }, limit } = range
  assertPageLimit(limit)
  const id = encodeText(after.id)
  const found =
    key === undefined
      ? statements.statement(sql.LIST_RESERVATIONS).all([encodeText(after.key), id, limit])
      : statements.statement(sql.LIST_RESERVATIONS_KEY).all([encodeText(key), id, encodeText(key), id, limit])
  const rows: ReservationRow[] = []
  const unreadable: UnreadableReservation[] = []
  const named = found.map((row) => ({ row, name: reservationNameFrom(row) }))
  for (const { row, name } of named) {
    try {
      rows.push(reservationFrom(row))
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      unreadable.push({ ...name, detail: error.message })
    }
  }
  return { rows, unreadable, last: named.at(-1)?.name }
}

/** The rows that exist, in the order of the names. Inside one transaction. */
export function readBudgets(statements: StatementCache, names: readonly RowName[]): readonly BudgetRow[] {
  const statement = statements.statement(sql.READ_BUDGET)
  return names.flatMap(({ key, period }) => {
    const row = statement.get([encodeText(key), period])
    return row === undefined ? [] : budgetFrom(row)
  })
}

/** The start position within one key when the page before ended at `after`. */
function periodAfter(key: string, after: RowName): number {
  if (after.key === key) return after.period
  // In UTF-8 order, which differs from the order of JavaScript strings beyond U+FFFF.
  return Buffer.compare(Buffer.from(encodeText(after.key)), Buffer.from(encodeText(key))) < 0
    ? Number.MIN_SAFE_INTEGER
    : Number.MAX_SAFE_INTEGER
}

function leasesBetween(
  statements: StatementCache,
  first: RowName | undefined,
  last: RowName | undefined,
): ReadonlyMap<string, readonly LeaseRow[]> {
  const byRow = new Map<string, LeaseRow[]>()
  if (first === undefined || last === undefined) return byRow
  const bounds = [encodeText(first.key), first.period, encodeText(last.key), last.period]
  for (const lease of statements.statement(sql.LIST_LEASES).all(bounds).map(leaseFrom)) {
    const onRow = byRow.get(nameOf(lease))
    if (onRow === undefined) byRow.set(nameOf(lease), [lease])
    else onRow.push(lease)
  }
  return byRow
}

function nameOf({ key, period }: RowName): string {
  return `${period}:${key}`
}
