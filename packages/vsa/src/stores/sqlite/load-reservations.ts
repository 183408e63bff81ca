import type { DamagedReservation, ExchangeRows, SourceRows, SweepRows } from '../../core/adapter.ts'
import { invariant, InvariantError } from '../../core/errors.ts'
import type { Batch } from '../../core/exchange.ts'
import { keysOf, nameOf, type ReservationName, sourcesOf } from '../../core/reservations/names.ts'
import type { ReservationRow } from '../../core/rows.ts'
import { encodeText } from '../../core/stored-text.ts'
import type { Row } from './client/driver.ts'
import { loadSource, type Source } from './load-entries.ts'
import type { Opening } from './row-cache.ts'
import { integer, reservationFrom } from './rows.ts'
import * as sql from './sql.ts'

/** Stands for no epoch: the first one is 1. */
export const NO_EPOCH = 0

/** The reservations that a batch names, and the rows that their units came from. */
export function loadReservations(
  source: Source,
  batch: Batch,
  names: readonly ReservationName[],
  opening: Opening,
): Pick<ExchangeRows, 'reservations' | 'damagedReservations' | 'sources'> {
  const found = new Map<string, ReservationRow>()
  const damagedReservations: DamagedReservation[] = []
  for (const row of readReservations(source, names)) {
    if ('detail' in row) damagedReservations.push(row)
    else found.set(nameOf(row.key, row.id), row)
  }
  const reservations = [...found.values()]
  const sources = sourcesOf(reservations, batch)
  return { reservations, damagedReservations, sources: loadSources(source, sources, batch.epoch, opening) }
}

/** @param time reservations that are to be swept at it, or before; one that cannot be read stays */
export function loadSweep(source: Source, max: number, time: number, opening: Opening): SweepRows {
  const rows = source.statements.statement(sql.SWEEPABLE).all([time, max])
  const due = rows.flatMap((row) => readable(() => reservationFrom(row)) ?? [])
  return { due, sources: loadSources(source, sourcesOf(due), NO_EPOCH, opening) }
}

export function loadSources(
  source: Source,
  names: readonly Pick<SourceRows, 'key' | 'period'>[],
  epoch: number,
  opening: Opening,
): readonly SourceRows[] {
  return names.map((name) => ({ ...name, rows: loadSource(source, name, epoch, opening) }))
}

/** Those that are remembered. Another budget of one names it again. */
function readReservations(
  { statements, cache }: Source,
  names: readonly ReservationName[],
): readonly (ReservationRow | DamagedReservation)[] {
  const found: (ReservationRow | DamagedReservation)[] = []
  const unknown: ReservationName[] = []
  for (const name of names) {
    const row = cache.reservation(name)
    if (row === undefined) unknown.push(name)
    else found.push(row)
  }
  if (unknown.length === 0) return found
  const list = JSON.stringify(unknown.map(({ key, id }) => [encodeText(key), encodeText(id)]))
  for (const row of statements.statement(sql.RESERVATIONS).all([list])) {
    const name = unknown[integer(row[0])]
    invariant(name !== undefined, 'a reservation was read for a name of the list')
    found.push(named(row, name))
  }
  return found
}

function named(row: Row, name: ReservationName): ReservationRow | DamagedReservation {
  try {
    const reservation = reservationFrom(row, 1)
    if (keysOf(reservation).includes(name.key)) return reservation
    throw new InvariantError('it has no budget of this key')
  } catch (error) {
    if (error instanceof InvariantError) return { ...name, detail: error.message }
    throw error
  }
}

/** Undefined for one that cannot be read. */
export function readable(read: () => ReservationRow): ReservationRow | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvariantError) return undefined
    throw error
  }
}
