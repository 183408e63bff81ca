import { InvariantError } from '../../core/errors.ts'
import { keysOf, type ReservationName } from '../../core/reservations/names.ts'
import type { OnExpire, Remember, ReservationState } from '../../core/reservations/messages.ts'
import type { ReservationLot, ReservationRow, ReservationSource } from '../../core/rows.ts'
import { fieldOf, idFieldOf } from './keys.ts'
import { rowNameFrom } from './rows.ts'

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
    const [key, id] = listIn(parsed(field)).map(textIn)
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

/** The scripts read `lots`, `sources`, `row` and `counter`. */
export function reservationJson({ as, request, onExpire, lots }: ReservationRow): string {
  return JSON.stringify({
    as,
    request,
    onExpire,
    lots: lots.map((lot) => ({ ...lot, sources: lot.sources.map(keptSource) })),
  })
}

function keptSource({ key, period, charged, refunded, resets }: ReservationSource): object {
  return { ...(period === null ? { counter: key } : { row: fieldOf({ key, period }) }), charged, refunded, resets }
}

/** @param own the field of the row @throws InvariantError for what this store cannot have written */
export function reservationFrom(own: string, json: string): ReservationRow {
  const name = reservationNameOf(own)
  if (name === undefined) throw unexpected('a name')
  const { as, request, onExpire, lots } = recordIn(parsed(json))
  const row = {
    ...name,
    as: oneOf(as, AS),
    request: textIn(request),
    onExpire: oneOf(onExpire, ON_EXPIRE),
    lots: listIn(lots).map(lotFrom),
  }
  if (row.lots.length === 0) throw unexpected('lots')
  return row
}

const AS: readonly Remember['as'][] = ['reservation', 'admission']
const ON_EXPIRE: readonly OnExpire[] = ['return', 'capture']
const STATES: readonly ReservationState[] = ['open', 'expired', 'final']

function lotFrom(value: unknown): ReservationLot {
  const { units, uncovered, state, expiresAt, keepUntil, sources } = recordIn(value)
  return {
    units: integerIn(units),
    uncovered: integerIn(uncovered),
    state: oneOf(state, STATES),
    expiresAt: integerIn(expiresAt),
    keepUntil: keepUntil === null ? null : integerIn(keepUntil),
    sources: listIn(sources).map(sourceFrom),
  }
}

function sourceFrom(value: unknown): ReservationSource {
  const { row, counter, charged, refunded, resets } = recordIn(value)
  const name = row === undefined ? { key: textIn(counter), period: null } : rowNameFrom(Buffer.from(textIn(row)))
  return {
    ...name,
    charged: integerIn(charged),
    refunded: refunded === null ? null : integerIn(refunded),
    resets: integerIn(resets),
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw unexpected('JSON')
  }
}

function recordIn(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unexpected('a record')
  // What is in it is checked by the callers.
  return value as Readonly<Record<string, unknown>>
}

function listIn(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected('a list')
  return value
}

function textIn(value: unknown): string {
  if (typeof value !== 'string') throw unexpected('a text')
  return value
}

function integerIn(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unexpected('an integer')
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
