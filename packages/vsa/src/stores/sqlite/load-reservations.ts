import type { ExchangeRows, SourceRows, SweepRows } from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Batch } from '../../core/exchange.ts'
import { CHANGED_SOURCES_MAX, LoadBound } from '../../core/reservations/load-bound.ts'
import { changesBefore, namedByTakes, type ReservationName, sourcesOf } from '../../core/reservations/names.ts'
import type { ReservationRow } from '../../core/rows.ts'
import type { Row } from './client/driver.ts'
import { loadSource, type Source } from './load-entries.ts'
import type { Opening } from './row-cache.ts'
import { NamedReservations } from './named-reservations.ts'
import { reservationFrom } from './rows.ts'
import * as sql from './sql.ts'

/** Stands for no epoch: the first one is 1. */
export const NO_EPOCH = 0

/** Reservations that a sweep, and those that changes of an exchange, read with one statement. */
const SWEPT_TOGETHER = 25
const READ_TOGETHER = 50

/** The reservations that a batch names, and the rows that their units came from. */
export function loadReservations(
  source: Source,
  batch: Batch,
  names: readonly ReservationName[],
  opening: Opening,
): Pick<ExchangeRows, 'reservations' | 'changesMax' | 'damagedReservations' | 'sources'> {
  const taken = Math.min(names.length, namedByTakes(batch))
  const named = new NamedReservations(source)
  named.read(names.slice(0, taken), new LoadBound(Infinity))
  const bound = new LoadBound(CHANGED_SOURCES_MAX)
  let from = taken
  // In parts: a row may have 1,000 lots.
  for (; from < names.length && !bound.isReached; from += READ_TOGETHER)
    named.read(names.slice(from, from + READ_TOGETHER), bound)
  const left = [...named.left, ...names.slice(from)]
  const { reservations, damaged: damagedReservations } = named
  const sources = loadSources(source, sourcesOf(reservations, batch), batch.epoch, opening)
  return { reservations, damagedReservations, sources, changesMax: changesBefore(batch, left) }
}

/** @param time reservations that are to be swept at it, or before; one that cannot be read stays */
export function loadSweep(source: Source, max: number, time: number, opening: Opening): SweepRows {
  const due: ReservationRow[] = []
  const bound = new LoadBound()
  // In parts: a row may have 1,000 lots.
  for (let from = 0; from < max && !bound.isReached; from += SWEPT_TOGETHER) {
    const rows = source.statements.statement(sql.SWEEPABLE).all([time, Math.min(SWEPT_TOGETHER, max - from), from])
    due.push(...readableUpTo(bound, rows).rows)
    if (rows.length < SWEPT_TOGETHER) break
  }
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

/** Those that can be read, up to the bound, and how many rows were looked at. */
export function readableUpTo(
  bound: LoadBound,
  found: readonly Row[],
): { readonly rows: readonly ReservationRow[]; readonly looked: number } {
  const rows: ReservationRow[] = []
  let looked = 0
  for (const row of found) {
    if (bound.isReached) break
    looked += 1
    const reservation = readable(() => reservationFrom(row))
    if (reservation === undefined) continue
    bound.add(reservation)
    rows.push(reservation)
  }
  return { rows, looked }
}

/** Undefined for one that cannot be read. */
function readable(read: () => ReservationRow): ReservationRow | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvariantError) return undefined
    throw error
  }
}
