import { InvariantError } from '../../core/errors.ts'
import type { OnExpire, Remember } from '../../core/reservations/messages.ts'
import { keysOf, sourcesOf, type ReservationName } from '../../core/reservations/names.ts'
import { decodeLots, encodeLots } from '../../core/reservations/stored-lots.ts'
import type { ReservationRow } from '../../core/rows.ts'
import { fieldOf, idFieldOf } from './keys.ts'

/* Reservations as they are kept: JSON under the field of the first budget, and under that of each other budget the name of the first field. */

/** In front of the field of the first budget. JSON begins with a brace. */
const SIGN = '='

/** The field of the row itself, and those that name it. */
export function reservationFields(row: ReservationRow): { readonly own: string; readonly others: readonly string[] } {
  const own = idFieldOf(row.key, row.id)
  const all = new Set(keysOf(row).map((key) => idFieldOf(key, row.id)))
  all.delete(own)
  return { own, others: [...all] }
}

/** The name that a field stands for; undefined for one that this store does not write. */
export function reservationNameOf(field: string): ReservationName | undefined {
  try {
    const parts = parsed(field)
    if (!Array.isArray(parts)) return undefined
    const [key, id] = parts.map(textIn)
    return key !== undefined && id !== undefined && idFieldOf(key, id) === field ? { key, id } : undefined
  } catch (error) {
    if (error instanceof InvariantError) return undefined
    throw error
  }
}

/** The value of a field that names the row. */
export function linkTo(own: string): string {
  return `${SIGN}${own}`
}

/** The field that a value names; undefined where it is a row. */
export function linkedBy(value: string): string | undefined {
  return value.startsWith(SIGN) ? value.slice(SIGN.length) : undefined
}

/** `rows` and `counters`, which units came from, are for the scripts. */
export function reservationJson(row: ReservationRow): string {
  const { as, request, onExpire, lots } = row
  return JSON.stringify({ as, request, onExpire, ...rowsOf(row), lots: encodeLots(lots) })
}

function rowsOf(row: ReservationRow): { readonly rows: readonly string[]; readonly counters: readonly string[] } {
  const sources = sourcesOf([row])
  return {
    rows: sources.flatMap(({ key, period }) => (period === null ? [] : fieldOf({ key, period }))),
    counters: sources.flatMap(({ key, period }) => (period === null ? key : [])),
  }
}

/** @param own the field of the row @throws InvariantError for what this store cannot have written */
export function reservationFrom(own: string, json: string): ReservationRow {
  const name = reservationNameOf(own)
  if (name === undefined) throw unexpected('a name')
  const kept = parsed(json)
  if (typeof kept !== 'object' || kept === null) throw unexpected('a record')
  // What is in it is checked here.
  const { as, request, onExpire, rows, counters, lots } = kept as Readonly<Record<string, unknown>>
  const row = {
    ...name,
    as: oneOf(as, AS),
    request: textIn(request),
    onExpire: oneOf(onExpire, ON_EXPIRE),
    lots: decodeLots(textIn(lots)),
  }
  if (JSON.stringify({ rows, counters }) !== JSON.stringify(rowsOf(row))) throw unexpected('the rows of its lots')
  return row
}

const AS: readonly Remember['as'][] = ['reservation', 'admission']
const ON_EXPIRE: readonly OnExpire[] = ['return', 'capture']

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw unexpected('JSON')
  }
}

function textIn(value: unknown): string {
  if (typeof value !== 'string') throw unexpected('a text')
  return value
}

function oneOf<T extends string>(value: unknown, known: readonly T[]): T {
  const found = known.find((one) => one === value)
  if (found === undefined) throw unexpected(known.join(' or '))
  return found
}

/** This store's own writes exclude this, so another program has written to its keys. */
function unexpected(what: string): InvariantError {
  return new InvariantError(`expected ${what} in a reservation in Redis`)
}
