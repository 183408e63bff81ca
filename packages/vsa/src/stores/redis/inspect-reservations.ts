import { InvariantError } from '../../core/errors.ts'
import type { ReservationPage, UnreadableReservation } from '../../core/inspection.ts'
import { sweepAtOf } from '../../core/reservations/names.ts'
import type { ReservationRow } from '../../core/rows.ts'
import { linkedBy, reservationFrom, reservationNameOf } from './reservations.ts'
import { bytesOrNone, list, text } from './rows.ts'
import { scan } from './scan.ts'
import { RESERVATION_PAGE } from './scripts/inspect.ts'
import type { Session } from './session.ts'

/** Fields of one script (R5). */
const PAGE_FIELDS = 250

/** A field of the hash `r`. */
interface Field {
  readonly field: string
  /** The field of the row itself. */
  readonly own: string
  /** The row as JSON; undefined where the field names one that is not there. */
  readonly json: string | undefined
  /** When it is to be swept; undefined where that is not kept, and for a field that names another. */
  readonly sweepAt: string | undefined
}

/** Every reservation once, or those that one key names: see `Inspection`. */
export async function* reservationPages(session: Session, key?: string): AsyncGenerator<ReservationPage> {
  const seen = new Set<string>()
  for await (const fields of fieldPages(session, key === undefined ? '*' : `${escaped(`[${JSON.stringify(key)},`)}*`)) {
    const rows: ReservationRow[] = []
    const unreadable: UnreadableReservation[] = []
    for (const field of fields) {
      // Without a key, a field that names another is that one once more.
      if (seen.has(field.own) || (key === undefined && field.own !== field.field)) continue
      seen.add(field.own)
      const row = readRow(field)
      if ('detail' in row) unreadable.push(row)
      else rows.push(row)
    }
    yield { rows, unreadable }
  }
}

/** What is wrong with reservations: they cannot be read, are not found by a name, or are not swept when they should be. */
export async function* reservationFindings(session: Session): AsyncGenerator<string> {
  for await (const fields of fieldPages(session, '*'))
    for (const field of fields) {
      const finding = findingOf(field)
      if (finding !== undefined) yield finding
    }
}

function findingOf(found: Field): string | undefined {
  const { field, own, json, sweepAt } = found
  if (own !== field)
    return json === undefined ? `the name ${field} is of the reservation ${own}, which is missing` : undefined
  const row = readRow(found)
  if ('detail' in row) return `the reservation ${field} cannot be read: ${row.detail}`
  const expected = String(sweepAtOf(row))
  return sweepAt === expected
    ? undefined
    : `the reservation ${field} is swept at ${sweepAt ?? 'no time'}, not at ${expected}`
}

function readRow({ field, own, json }: Field): ReservationRow | UnreadableReservation {
  try {
    if (json === undefined) throw new InvariantError(`its first budget does not have it: ${own}`)
    return reservationFrom(own, json)
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error
    const { key, id } = reservationNameOf(field) ?? { key: field, id: '' }
    return { key, id, detail: error.message }
  }
}

/** @param pattern of the fields, as `HSCAN` takes it */
async function* fieldPages(session: Session, pattern: string): AsyncGenerator<readonly Field[]> {
  for await (const [page] of scan(session, RESERVATION_PAGE, PAGE_FIELDS, [pattern])) {
    const flat = list(page)
    yield Array.from({ length: flat.length / 4 }, (_, at) => fieldFrom(flat.slice(4 * at, 4 * (at + 1))))
  }
}

function fieldFrom([name, content, linked, sweepAt]: readonly unknown[]): Field {
  const [field, value] = [text(name), text(content)]
  const link = linkedBy(value)
  const other = bytesOrNone(linked)?.toString('utf8')
  const json = link === undefined ? value : other !== undefined && linkedBy(other) === undefined ? other : undefined
  return { field, own: link ?? field, json, sweepAt: bytesOrNone(sweepAt)?.toString('utf8') }
}

/** A text that stands for itself in a pattern. */
function escaped(literal: string): string {
  return literal.replaceAll(/[*?[\]\\^-]/g, String.raw`\$&`)
}
