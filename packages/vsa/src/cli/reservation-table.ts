import type { ReservationRow } from '../core/rows.ts'
import { count, time } from './format.ts'
import { printable } from './safe-text.ts'
import { columns, table } from './table.ts'

/** A reservation as one of its budgets sees it. Times are ms since 1970. */
export interface ShownReservation {
  readonly id: string
  /** Of the row that it has charged. */
  readonly period: number
  readonly as: ReservationRow['as']
  readonly state: string
  /** The total that was asked for, or extended to since. */
  readonly units: number
  /** Units of this budget. */
  readonly charged: number
  /** Units given back by the id; null before that. */
  readonly refunded: number | null
  /** Of an open one; null afterwards. */
  readonly expiresAt: number | null
  readonly onExpire: ReservationRow['onExpire']
  /** It may be forgotten from then on; null while it is open. */
  readonly keepUntil: number | null
}

/** What a reservation is for one of its keys: a lot for each period. */
export function shownReservations(
  { id, as, onExpire, lots }: ReservationRow,
  key: string,
): readonly ShownReservation[] {
  return lots.flatMap(({ state, units, expiresAt, keepUntil, sources }) =>
    sources
      .flatMap(({ period, ...source }) => (source.key === key && period !== null ? [{ ...source, period }] : []))
      .map(({ period, charged, refunded }) => {
        const endsAt = state === 'open' ? expiresAt : null
        return { id, period, as, state, units, charged, refunded, expiresAt: endsAt, onExpire, keepUntil }
      }),
  )
}

export function reservationTable(rows: readonly ShownReservation[], timeZone: string): string {
  return table(
    columns('id', 'made as', 'state', '>units', '>charged', '>refunded', 'ends', 'then'),
    rows.map(({ id, as, state, units, charged, refunded, expiresAt, onExpire, keepUntil }) => [
      printable(id),
      as,
      state,
      count(units),
      count(charged),
      refunded === null ? '-' : count(refunded),
      time(expiresAt ?? keepUntil, timeZone),
      expiresAt === null ? 'forgotten' : onExpire === 'return' ? 'returned' : 'captured',
    ]),
  )
}
