import type { DamagedReservation, ExchangeRows, SourceRows, SweepRows } from '../../core/adapter.ts'
import { InvariantError } from '../../core/errors.ts'
import type { Batch } from '../../core/exchange.ts'
import { nameOf, type ReservationName, sourcesOf } from '../../core/reservations/names.ts'
import type { ReservationRow } from '../../core/rows.ts'
import { loadSource, type Source } from './load-entries.ts'
import type { Opening } from './row-cache.ts'
import { NamedReservations } from './named-reservations.ts'
import { reservationFrom } from './rows.ts'
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

/** Those that are remembered, each decoded once: a call for all budgets of one gives as many names of it. */
function readReservations(
  { statements, cache }: Source,
  names: readonly ReservationName[],
): readonly (ReservationRow | DamagedReservation)[] {
  const found = new Set<ReservationRow | DamagedReservation>()
  const unknown: ReservationName[] = []
  for (const name of names) {
    const row = cache.reservation(name)
    if (row === undefined) unknown.push(name)
    else found.add(row)
  }
  if (unknown.length === 0) return [...found]
  const named = new NamedReservations()
  named.read(statements, unknown)
  for (const one of named.all()) found.add(one)
  return [...found]
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
