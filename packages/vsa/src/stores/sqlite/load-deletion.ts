import type { DeletionRows } from '../../core/adapter.ts'
import { LoadBound } from '../../core/reservations/load-bound.ts'
import { sourcesOf } from '../../core/reservations/names.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'
import type { Source } from './load-entries.ts'
import { loadSources, NO_EPOCH, readableUpTo } from './load-reservations.ts'
import type { Opening } from './row-cache.ts'
import { firstInteger, leaseFrom, text } from './rows.ts'
import * as sql from './sql.ts'

/** P6 @param max of reservations, of rows and of mints, each */
export function loadDeletion(source: Source, key: string, max: number, opening: Opening): DeletionRows {
  const { statements } = source
  const name = encodeText(key)
  const found = statements.statement(sql.RESERVATIONS_OF_KEY).all([name, name, max + 1])
  const { rows: reservations, looked } = readableUpTo(new LoadBound(), found.slice(0, max))
  const periods = statements
    .statement(sql.PERIODS_OF_KEY)
    .all([name, max + 1])
    .map((row) => firstInteger(row))
  const budgets = periods.slice(0, max).map((period) => ({ key, period }))
  const leases = statements.statement(sql.LEASES_OF_KEY).all([name]).map(leaseFrom)
  const removed = new Set(periods.slice(0, max))
  const mints = statements.statement(sql.MINTS_OF_KEY).all([name, max + 1])
  return {
    reservations,
    sources: loadSources(source, sourcesOf(reservations), NO_EPOCH, opening),
    budgets,
    leases: leases.filter(({ period }) => removed.has(period)),
    mints: mints.slice(0, max).map((row) => ({ key, id: decodeText(text(row[0])) })),
    hasMoreReservations: found.length > looked,
    hasMoreBudgets: periods.length > max,
    hasMoreMints: mints.length > max,
  }
}
