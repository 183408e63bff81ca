import { createHash } from 'node:crypto'
import type { ReservationWrite } from '../../core/written-rows.ts'
import { InvariantError } from '../../core/errors.ts'
import { keysOf, nameOf, type ReservationName, sourcesOf, sweepAtOf } from '../../core/reservations/names.ts'
import { decodeLots, encodeLots } from '../../core/reservations/stored-lots.ts'
import type { ReservationRow } from '../../core/rows.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'
import { integerArray, integerLiteral, textArray, textLiteral } from './literals.ts'
import { jsonOf, list, text } from './rows.ts'

/*
 * Reservations as they are stored. One row has the whole request, under the hash of its first key and the id. For each other key a row
 * under its own hash links to it, so that a second request with one of the keys and the id cannot be inserted.
 */

/** Columns of a request as JSON, its hash in hexadecimal first. @param table its alias */
export function reservationColumns(table: string): string {
  return jsonOf(table, 'hash, key, id, remembered_as, request, on_expire, lots').replace(
    `${table}.hash`,
    `encode(${table}.hash, 'hex')`,
  )
}

/** Of a (key, id), in hexadecimal: both together may be too long for an index. */
export function reservationHash(key: string, id: string): string {
  return createHash('sha256').update(nameOf(key, id)).digest('hex')
}

/** As a value of a statement. */
export function hashArray(hashes: readonly string[]): string {
  return `${textArray(hashes.map((hash) => `\\x${hash}`))}::bytea[]`
}

/** Columns of {@link reservationColumns}. @throws InvariantError when they cannot be read */
function reservationFrom(value: unknown): ReservationRow {
  const [, key, id, as, request, onExpire, lots] = list(value)
  return {
    key: decodeText(text(key)),
    id: decodeText(text(id)),
    // The store writes only values of these types to these columns.
    as: text(as) as ReservationRow['as'],
    request: text(request),
    onExpire: text(onExpire) as ReservationRow['onExpire'],
    lots: decodeLots(text(lots)),
  }
}

/** A second insert of a (key, id) is refused as a duplicate. Rows are inserted in one order for all: so no two transactions wait in a circle. */
export function saveReservations(schema: string, writes: readonly ReservationWrite[]): readonly string[] {
  const created = writes.flatMap(({ change, row }) => (change === 'created' ? row : []))
  const changed = writes.flatMap(({ change, row }) => (change === 'changed' ? row : []))
  return [
    ...(created.length === 0 ? [] : [insert(schema, created)]),
    ...(changed.length === 0 ? [] : [update(schema, changed)]),
  ]
}

export function removeReservations(schema: string, rows: readonly ReservationRow[]): string {
  return `delete from ${schema}.reservation where hash = any(${hashArray(rows.flatMap(hashesOf))});`
}

function insert(schema: string, rows: readonly ReservationRow[]): string {
  const values = rows.flatMap((row) => {
    const own = reservationHash(row.key, row.id)
    return [...new Set(keysOf(row))].map((key) => {
      const hash = reservationHash(key, row.id)
      return { hash, value: hash === own ? requestValue(hash, row) : linkValue(hash, own, { key, id: row.id }) }
    })
  })
  const sorted = values.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)).map(({ value }) => value)
  return `insert into ${schema}.reservation
(hash, link, key, id, remembered_as, request, on_expire, lots, sweep_at, source_keys, source_periods) values
${sorted.join(',\n')};`
}

function requestValue(hash: string, row: ReservationRow): string {
  const { key, id, as, request, onExpire, lots } = row
  const sources = sourcesOf([row])
  const texts = [encodeText(key), encodeText(id), as, request, onExpire, encodeLots(lots)].map(textLiteral)
  const keys = textArray(sources.map((source) => encodeText(source.key)))
  const periods = integerArray(sources.map(({ period }) => period))
  return `('\\x${hash}'::bytea, null::bytea, ${texts.join(', ')}, ${integerLiteral(sweepAtOf(row))}, ${keys}, ${periods})`
}

function linkValue(hash: string, own: string, { key, id }: ReservationName): string {
  const texts = [encodeText(key), encodeText(id)].map(textLiteral)
  return `('\\x${hash}', '\\x${own}', ${texts.join(', ')}, null, null, null, null, null, null, null)`
}

function update(schema: string, rows: readonly ReservationRow[]): string {
  const hashes = hashArray(rows.map(({ key, id }) => reservationHash(key, id)))
  const lots = textArray(rows.map((row) => encodeLots(row.lots)))
  return `update ${schema}.reservation r set lots = e.lots, sweep_at = e.sweep_at
from unnest(${hashes}, ${lots}, ${integerArray(rows.map(sweepAtOf))}) e(hash, lots, sweep_at) where r.hash = e.hash;`
}

/** Of each of its keys. */
function hashesOf(row: ReservationRow): readonly string[] {
  return keysOf(row).map((key) => reservationHash(key, row.id))
}

/** Reservations that were read, and the others by what they are called. */
export interface ReadReservations<Name> {
  readonly rows: readonly ReservationRow[]
  readonly damaged: readonly (Name & { readonly detail: string })[]
}

/**
 * One that cannot be read does not hide the others (S6).
 * @param values pairs of a name and columns; a request that has several names is decoded once
 */
export function readReservations<Name extends object>(
  values: readonly (readonly [name: Name, columns: unknown])[],
): ReadReservations<Name> {
  const read = new Map<unknown, ReservationRow | string>()
  const damaged: (Name & { readonly detail: string })[] = []
  for (const [name, columns] of values) {
    const hash: unknown = Array.isArray(columns) ? columns[0] : columns
    const known = read.get(hash)
    const one = known ?? decoded(columns)
    if (known === undefined) read.set(hash, one)
    if (typeof one === 'string') damaged.push({ ...name, detail: one })
  }
  return { rows: [...read.values()].filter((one) => typeof one !== 'string'), damaged }
}

/** Or what is wrong with it. */
function decoded(columns: unknown): ReservationRow | string {
  try {
    return reservationFrom(columns)
  } catch (error) {
    if (error instanceof InvariantError) return error.message
    throw error
  }
}
