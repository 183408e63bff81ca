import type { Inspection } from '../core/inspection.ts'
import type { ListedRow } from '../index.ts'
import { counted, time } from './format.ts'
import { reservationTable, type ShownReservation, shownReservations } from './reservation-table.ts'

/** What reservations have set aside of one row. */
export interface Reserved {
  /** Those that have charged it with the most, the largest first. */
  readonly largest: readonly ShownReservation[]
  /** Of all that have charged it. */
  readonly count: number
  /** When the first of those that are returned ends, ms since 1970; null where none is. */
  readonly returnsAt: number | null
  /** Reservations of the key that cannot be read. */
  readonly unreadable: number
}

/** How many are named. */
const LARGEST_MAX = 5
const NONE: Reserved = { largest: [], count: 0, returnsAt: null, unreadable: 0 }

/** R2: the reservations that make up what is reserved of the row. A key may have a million: the largest are kept. */
export async function reservedOf(inspection: Inspection, row: ListedRow | undefined): Promise<Reserved> {
  if (row === undefined || row.budget.reserved === 0) return NONE
  const { key, period } = row.budget
  let found = NONE
  for await (const { rows, unreadable } of inspection.reservationPages(key)) {
    const charging = rows
      .flatMap((reservation) => shownReservations(reservation, key))
      .filter((one) => one.period === period && one.state !== 'final' && one.charged > 0)
    found = {
      largest: largestOf([...found.largest, ...charging]),
      count: found.count + charging.length,
      returnsAt: charging.reduce(earlier, found.returnsAt),
      unreadable: found.unreadable + unreadable.length,
    }
  }
  return found
}

function largestOf(all: readonly ShownReservation[]): readonly ShownReservation[] {
  return all.toSorted((one, other) => other.charged - one.charged).slice(0, LARGEST_MAX)
}

function earlier(at: number | null, { expiresAt, onExpire }: ShownReservation): number | null {
  return expiresAt === null || onExpire === 'capture' ? at : Math.min(at ?? Infinity, expiresAt)
}

/** When units come back without a settlement. */
export function returnsText({ returnsAt }: Reserved, timeZone: string): string {
  return returnsAt === null
    ? 'They come back as far as the reservations are settled with less.'
    : `The first that gives its units back ends at ${time(returnsAt, timeZone)}.`
}

/** The largest, and how many there are more; empty without any. */
export function reservedText({ largest, count, unreadable }: Reserved, timeZone: string): string {
  const more = count - largest.length
  return [
    ...(largest.length === 0 ? [] : [reservationTable(largest, timeZone)]),
    ...(more > 0 ? [`... and ${counted(more, 'smaller reservation')}: see vsa inspect`] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'reservation')} cannot be read: see vsa verify`] : []),
  ].join('\n')
}
