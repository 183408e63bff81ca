import type { DamagedReservation } from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import { keysOf, type ReservationName } from '../../core/reservations/names.ts'
import type { ReservationRow } from '../../core/rows.ts'
import type { FoundRows } from './found-rows.ts'
import { idFieldOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import { linkedBy, reservationFrom, reservationNameOf } from './reservations.ts'
import { bytesOrNone, pairs } from './rows.ts'

export interface FoundReservations {
  /** Each once. */
  readonly rows: readonly ReservationRow[]
  readonly damaged: readonly DamagedReservation[]
}

/**
 * The reservations of some names. One that cannot be read does not hide the others.
 * @param values of the names' fields, in order, each with the value of the field that it names, where no name has that
 * @param found has the rows that they were made from
 * @param loaded gets what a save must find unchanged
 */
export function reservationsFrom(
  names: readonly ReservationName[],
  values: unknown,
  found: FoundRows,
  loaded: Loaded,
): FoundReservations {
  const rows = new Map<string, ReservationRow>()
  // Of a row that no name has, its first name brings the bytes.
  const linkedRows = new Map<string, Buffer | undefined>()
  const damaged: DamagedReservation[] = []
  const all = pairs(values)
  const byField = new Map(names.map(({ key, id }, at) => [idFieldOf(key, id), bytesOrNone(all[at]?.[0] ?? null)]))
  for (const [at, [value, linked]] of all.entries()) {
    const name = names[at]
    if (name === undefined) break
    const field = idFieldOf(name.key, name.id)
    const bytes = bytesOrNone(value)
    loaded.reservation(field, bytes)
    if (bytes === undefined) continue
    const link = linkedBy(bytes.toString('utf8'))
    const own = link ?? field
    if (rows.has(own)) continue
    if (!linkedRows.has(own)) linkedRows.set(own, bytesOrNone(linked))
    const json = link === undefined ? bytes : (byField.get(own) ?? linkedRows.get(own))
    if (link !== undefined) loaded.reservation(own, json)
    try {
      rows.set(own, rowFrom({ name, own, json, found }))
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      damaged.push({ ...name, detail: error.message })
    }
  }
  return { rows: [...rows.values()], damaged }
}

/**
 * The reservations of some fields of the hash `r`; those that cannot be read are left out.
 * @param values as `readReservations` of the scripts answers them
 */
export function readableReservations(
  fields: readonly string[],
  values: unknown,
  found: FoundRows,
  loaded: Loaded,
): readonly ReservationRow[] {
  const all = pairs(values)
  const named = fields.flatMap((field, at) => {
    const name = reservationNameOf(field)
    return name === undefined ? [] : [{ name, value: all[at] ?? [null, null] }]
  })
  const names = named.map(({ name }) => name)
  const flat = named.flatMap(({ value }) => value)
  return reservationsFrom(names, flat, found, loaded).rows
}

interface FoundValue {
  readonly name: ReservationName
  /** The field of the row itself. */
  readonly own: string
  readonly json: Buffer | undefined
  readonly found: FoundRows
}

/** @throws InvariantError */
function rowFrom({ name, own, json, found }: FoundValue): ReservationRow {
  if (json === undefined) throw new InvariantError(`its first budget does not have it: ${own}`)
  const row = reservationFrom(own, json.toString('utf8'))
  if (row.id !== name.id || !(row.key === name.key || keysOf(row).includes(name.key)))
    throw new InvariantError(`it is under a name that is not its own: ${own}`)
  if (!row.lots.every(({ sources }) => sources.every((source) => found.has(source))))
    throw new InvariantError('the server could not read it')
  return row
}
