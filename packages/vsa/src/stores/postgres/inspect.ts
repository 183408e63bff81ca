import { InvariantError } from '../../core/errors.ts'
import type { InspectedPage, InspectedRow, Inspection, ReservationPage, UnreadableRow } from '../../core/inspection.ts'
import { leaseSumFaults } from '../../core/lease-sums.ts'
import type { CounterRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import { decodeText } from '../../core/stored-text.ts'
import { noStore } from './errors.ts'
import * as sql from './inspect-sql.ts'
import { nameLiteral } from './literals.ts'
import type { PostgresPool } from './pool.ts'
import { readReservations } from './reservation-rows.ts'
import { budgetFrom, integer, list, ownerFrom, text } from './rows.ts'
import { knownVersion } from './schema.ts'
import { answerOf } from './transaction.ts'

/** Rows of one statement. */
const PAGE_ROWS = 1_000
/** The most findings of one integrity check. */
const FINDINGS_MAX = 100

/**
 * Reads a store for `verify` and `inspect`, and writes nothing. Each page is one short, read-only statement: a row and its leases are of one moment, and
 * two pages are not. A snapshot of all would make every update slower for as long as it is open. A standby can be read, too.
 * @param pool is not ended by `close`
 * @throws StoreError `not_a_database` (there is no store in the schema), `schema_too_new`; also the errors of the connection
 */
export async function inspectPostgres(pool: PostgresPool, schema: string): Promise<Inspection> {
  const name = nameLiteral(schema)
  const ask = (statement: string): Promise<unknown> => answerOf(pool, schema, statement)
  if ((await ask(sql.hasStore(name))) !== true) throw noStore(schema)
  const version = await knownVersion(pool, schema)
  return {
    pages: (key) => budgetPages(ask, { name, version }, key),
    owners: () => owners(ask, name),
    counterPages: () => counterPages(ask, name),
    // Version 1 has none.
    reservationPages: (key) => (version === 1 ? noReservations() : reservationPages(ask, name, key)),
    integrity: () => strayLeases(ask, name),
    // The server checks the encoding of what it stores.
    textDamage: async () => [],
    close: async () => undefined,
  }
}

/**
 * Whether a schema has a store with rows, or one that an engine has joined.
 * @throws StoreError
 */
export async function isStoreUsed(pool: PostgresPool, schema: string): Promise<boolean> {
  const name = nameLiteral(schema)
  if ((await answerOf(pool, schema, sql.hasStore(name))) !== true) return false
  return (await answerOf(pool, schema, sql.isUsed(name))) === true
}

type Ask = (statement: string) => Promise<unknown>

async function* budgetPages(
  ask: Ask,
  schema: sql.InspectedSchema,
  key: string | undefined,
): AsyncGenerator<InspectedPage> {
  let after: sql.RawName | undefined
  do {
    const answer = list(await ask(sql.budgetPage(schema, key, after, PAGE_ROWS)))
    const budgets = list(answer[0] ?? [])
    if (budgets.length > 0) yield pageOf(budgets, leasesByRow(list(answer[1] ?? [])))
    after = budgets.length < PAGE_ROWS ? undefined : rawNameOf(list(budgets.at(-1)))
  } while (after !== undefined)
}

/** Of an answer of `budgetPage`: the columns of a row, the sum and the number of leases on it as it has them, and its period in decimal. */
function rawNameOf(budget: readonly unknown[]): sql.RawName {
  return { key: text(list(budget[0])[0]), period: text(budget[3]) }
}

/** Leases as they came, by the stored name of their row. */
function leasesByRow(leases: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> {
  const byRow = new Map<string, unknown[]>()
  for (const lease of leases) {
    const [key, period] = list(lease)
    const name = placeOf({ key: text(key), period: text(period) })
    const onRow = byRow.get(name)
    if (onRow === undefined) byRow.set(name, [lease])
    else onRow.push(lease)
  }
  return byRow
}

function placeOf({ key, period }: sql.RawName): string {
  return `${period}:${key}`
}

function pageOf(budgets: readonly unknown[], leases: ReadonlyMap<string, readonly unknown[]>): InspectedPage {
  const rows: InspectedRow[] = []
  const unreadable: UnreadableRow[] = []
  for (const each of budgets) {
    const budget = list(each)
    const name = rawNameOf(budget)
    try {
      rows.push(inspectedRow(budget, leases.get(placeOf(name)) ?? []))
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      unreadable.push({ key: decodeText(name.key), period: Number(name.period), detail: error.message })
    }
  }
  return { rows, unreadable }
}

/** @throws InvariantError when a value cannot be read */
function inspectedRow([columns, leased, lessees]: readonly unknown[], onRow: readonly unknown[]): InspectedRow {
  const budget = budgetFrom(columns)
  const { key, period } = budget
  const leases = onRow.map((lease): LeaseRow => {
    const [, , epoch, held] = list(lease)
    return { key, period, epoch: integer(epoch), held: integer(held) }
  })
  const faults = leaseSumFaults({ leased: integer(leased), lessees: integer(lessees) }, leases)
  return { budget, leases, ...(faults.length === 0 ? {} : { faults }) }
}

async function owners(ask: Ask, name: string): Promise<readonly OwnerRow[]> {
  const found: OwnerRow[] = []
  let after: string | undefined
  do {
    const page = list(await ask(sql.ownerPage(name, after, PAGE_ROWS))).map(list)
    for (const [columns] of page) found.push(ownerFrom(columns))
    after = page.length < PAGE_ROWS ? undefined : text(page.at(-1)?.[1])
  } while (after !== undefined)
  return found
}

async function* noReservations(): AsyncGenerator<ReservationPage> {}

async function* reservationPages(ask: Ask, name: string, key: string | undefined): AsyncGenerator<ReservationPage> {
  let after: string | undefined
  do {
    const page = list(await ask(sql.reservationPage(name, key, after, PAGE_ROWS))).map(list)
    if (page.length > 0) yield reservationsOn(page.map(([, columns]) => columns))
    after = page.length < PAGE_ROWS ? undefined : text(page.at(-1)?.[0])
  } while (after !== undefined)
}

function reservationsOn(page: readonly unknown[]): ReservationPage {
  const named = page.map((columns) => {
    const [, key, id] = list(columns)
    return [{ key: decodeText(text(key)), id: decodeText(text(id)) }, columns] as const
  })
  const { rows, damaged } = readReservations(named)
  return { rows, unreadable: damaged }
}

async function* counterPages(ask: Ask, name: string): AsyncGenerator<readonly CounterRow[]> {
  let after: string | undefined
  do {
    const page = list(await ask(sql.counterPage(name, after, PAGE_ROWS))).map(list)
    if (page.length > 0) yield page.map(([key, value]) => ({ key: decodeText(text(key)), value: integer(value) }))
    after = page.length < PAGE_ROWS ? undefined : text(page.at(-1)?.[0])
  } while (after !== undefined)
}

/** Leases that no row has, or that no owner can return. */
async function strayLeases(ask: Ask, name: string): Promise<readonly string[]> {
  const findings: string[] = []
  let after: sql.RawLease | undefined
  do {
    const answer = list(await ask(sql.leasePage(name, after, PAGE_ROWS)))
    for (const stray of list(answer[1] ?? [])) findings.push(findingOf(list(stray)))
    after = answer[0] === null ? undefined : rawLeaseOf(list(answer[0]))
  } while (after !== undefined && findings.length < FINDINGS_MAX)
  return findings.slice(0, FINDINGS_MAX)
}

function rawLeaseOf([key, period, epoch]: readonly unknown[]): sql.RawLease {
  return { key: text(key), period: text(period), epoch: text(epoch) }
}

function findingOf(stray: readonly unknown[]): string {
  const { key, period, epoch } = rawLeaseOf(stray)
  const missing = [...(stray[3] === true ? [] : ['a row']), ...(stray[4] === true ? [] : ['an owner'])].join(' and ')
  return `the lease of epoch ${epoch} on ${JSON.stringify(decodeText(key))}, period ${period}, is without ${missing}`
}
