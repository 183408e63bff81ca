import type { Inspection, UnreadableReservation, UnreadableRow } from '../core/inspection.ts'
import type { CounterRow } from '../core/rows.ts'
import type { LeaseRow, ListedRow, OwnerRow } from '../index.ts'
import { count, counted, periodCells, periodStart, time } from './format.ts'
import { escaped, printable } from './safe-text.ts'
import { reservationTable, shownReservations, type ShownReservation } from './reservation-table.ts'
import { CommandError, type Report } from './report.ts'
import { assertReadable, countersOf, inspecting, visitRows } from './store-reader.ts'
import { placeOf } from './stores/place-of.ts'
import { columns, table } from './table.ts'

interface Contents {
  readonly budgets: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: readonly CounterRow[]
  readonly unreadable: readonly UnreadableRow[]
  /** Of one key; empty for a whole store, which may have very many. */
  readonly reservations: readonly ShownReservation[]
  readonly unreadableReservations: readonly UnreadableReservation[]
}

export interface InspectOptions {
  /** Rows of each table in the text, from 1. JSON has every row. */
  readonly rowsMax: number
  /** Of the times in the text. JSON has ms since 1970. */
  readonly timeZone: string
}

/**
 * The contents of a store; with a key, the periods, leases and reservations of that budget and the counter of that name. Not `ok` when there are rows that
 * cannot be read.
 * @param address as `placeOf` takes it
 */
export async function inspect(address: string, key: string | undefined, options: InspectOptions): Promise<Report> {
  const place = placeOf(address)
  const contents = await inspecting(place, async (inspection) => {
    assertReadable(place, await inspection.textDamage())
    return contentsOf(inspection, key)
  })
  if (key !== undefined && contents.budgets.length + contents.counters.length + contents.unreadable.length === 0) {
    throw new CommandError('unknown_key', `${place.name} has no budget and no counter called '${key}'`)
  }
  return {
    ok: contents.unreadable.length + contents.unreadableReservations.length === 0,
    json: jsonOf(place.name, contents, key !== undefined),
    text: textOf(contents, key !== undefined, options),
  }
}

async function contentsOf(inspection: Inspection, key: string | undefined): Promise<Contents> {
  const budgets: ListedRow[] = []
  const unreadable: UnreadableRow[] = []
  await visitRows(inspection, { row: (row) => budgets.push(row), unreadable: (row) => unreadable.push(row) }, key)
  const counters = await countersOf(inspection)
  const owners = await inspection.owners()
  if (key === undefined) return { budgets, counters, owners, unreadable, reservations: [], unreadableReservations: [] }
  const holders = new Set(budgets.flatMap(({ leases }) => leases.map(({ epoch }) => epoch)))
  return {
    budgets,
    counters: counters.filter((counter) => counter.key === key),
    owners: owners.filter(({ epoch }) => holders.has(epoch)),
    unreadable,
    ...(await reservationsOf(inspection, key)),
  }
}

async function reservationsOf(
  inspection: Inspection,
  key: string,
): Promise<Pick<Contents, 'reservations' | 'unreadableReservations'>> {
  const reservations: ShownReservation[] = []
  const unreadableReservations: UnreadableReservation[] = []
  for await (const { rows, unreadable } of inspection.reservationPages(key)) {
    reservations.push(...rows.flatMap((row) => shownReservations(row, key)))
    unreadableReservations.push(...unreadable)
  }
  return { reservations, unreadableReservations }
}

function jsonOf(store: string, contents: Contents, isOne: boolean): unknown {
  const { budgets, owners, counters, unreadable, reservations, unreadableReservations } = contents
  return {
    store,
    budgets: budgets.map(({ budget, leases }) => ({
      ...budget,
      leased: unitsOf(leases),
      leases: leases.map(({ epoch, held }) => ({ epoch, leased: held })),
    })),
    owners,
    counters,
    unreadable,
    ...(isOne && { reservations, unreadableReservations }),
  }
}

/** A store may have very many reservations. */
const RESERVED_HINT = 'Units are reserved. To list the reservations of a key: vsa inspect <store> <key>'

function textOf(contents: Contents, isOne: boolean, { rowsMax, timeZone }: InspectOptions): string {
  const { budgets, owners, counters, unreadable, reservations, unreadableReservations } = contents
  const sections = [
    section('Budgets', 'budget', budgets, rowsMax, (rows) => budgetTable(rows, timeZone)),
    !isOne && budgets.some(({ budget }) => budget.reserved > 0) ? RESERVED_HINT : '',
    isOne
      ? section('Leases', 'lease', budgets.flatMap(leasesOf(owners)), rowsMax, (rows) => leaseTable(rows, timeZone))
      : '',
    section('Reservations', 'reservation', reservations, rowsMax, (rows) => reservationTable(rows, timeZone)),
    section('Owners', 'owner', owners.toReversed(), rowsMax, (rows) => ownerTable(rows, timeZone)),
    section('Counters', 'counter', counters, rowsMax, counterTable),
    section('Rows that cannot be read', 'row', unreadable, rowsMax, (rows) => unreadableTable(rows, timeZone)),
    section('Reservations that cannot be read', 'reservation', unreadableReservations, rowsMax, brokenTable),
  ]
  const shown = sections.filter((text) => text !== '')
  return shown.length === 0 ? 'The store is empty.' : shown.join('\n\n')
}

function section<T>(
  title: string,
  noun: string,
  rows: readonly T[],
  rowsMax: number,
  draw: (rows: readonly T[]) => string,
): string {
  if (rows.length === 0) return ''
  const more = rows.length > rowsMax ? `\n... and ${counted(rows.length - rowsMax, `more ${noun}`)}: see --rows` : ''
  return `${title}: ${count(rows.length)}\n${draw(rows.slice(0, rowsMax))}${more}`
}

/** What is reserved has a column only where there is some. */
function budgetTable(rows: readonly ListedRow[], timeZone: string): string {
  const isReserved = rows.some(({ budget }) => budget.reserved > 0)
  const reservedColumn = isReserved ? ['>reserved'] : []
  return table(
    columns(
      'key',
      'from',
      'to',
      '>limit',
      '>minted',
      '>used',
      ...reservedColumn,
      '>pool',
      '>burned',
      '>leased',
      '>owners',
    ),
    rows.map(({ budget, leases }) => {
      const { key, period, endsAt, limit, minted, used, reserved, pool, burned } = budget
      const aside = isReserved ? [reserved] : []
      const units = [limit, minted, used, ...aside, pool, burned, unitsOf(leases), leases.length]
      return [printable(key), ...periodCells(period, endsAt, timeZone), ...units.map(count)]
    }),
  )
}

function unitsOf(leases: readonly LeaseRow[]): number {
  return leases.reduce((sum, { held }) => sum + held, 0)
}

interface ShownLease {
  readonly period: number
  readonly endsAt: number | null
  readonly epoch: number
  readonly leased: number
  readonly label: string
}

function leasesOf(owners: readonly OwnerRow[]): (row: ListedRow) => readonly ShownLease[] {
  const labels = new Map(owners.map(({ epoch, label }) => [epoch, label]))
  return ({ budget: { period, endsAt }, leases }) =>
    leases.map(({ epoch, held }) => ({ period, endsAt, epoch, leased: held, label: labels.get(epoch) ?? '?' }))
}

function leaseTable(rows: readonly ShownLease[], timeZone: string): string {
  return table(
    columns('from', 'to', '>leased', '>epoch', 'owner'),
    rows.map(({ period, endsAt, leased, epoch, label }) => [
      ...periodCells(period, endsAt, timeZone),
      count(leased),
      String(epoch),
      printable(label),
    ]),
  )
}

/** Newest first, because a store with many restarts has many old owners. */
function ownerTable(rows: readonly OwnerRow[], timeZone: string): string {
  return table(
    columns('>epoch', 'state', 'last seen', 'expires', '>batches', 'label'),
    rows.map(({ epoch, state, seenAt, expiresAt, seq, label }) => [
      String(epoch),
      state,
      time(seenAt, timeZone),
      state === 'open' ? time(expiresAt, timeZone) : '-',
      count(seq),
      printable(label),
    ]),
  )
}

function counterTable(rows: readonly CounterRow[]): string {
  return table(
    columns('key', '>value'),
    rows.map(({ key, value }) => [printable(key), count(value)]),
  )
}

function unreadableTable(rows: readonly UnreadableRow[], timeZone: string): string {
  return table(
    columns('key', 'from', 'what is wrong'),
    rows.map(({ key, period, detail }) => [printable(key), periodStart(period, timeZone), escaped(detail)]),
  )
}

function brokenTable(rows: readonly UnreadableReservation[]): string {
  return table(
    columns('key', 'id', 'what is wrong'),
    rows.map(({ key, id, detail }) => [printable(key), printable(id), escaped(detail)]),
  )
}
