import { setAside } from '../../core/reservations/names.ts'
import { reservationPages } from './inspect-reservations.ts'
import { fieldOf } from './keys.ts'
import { bytesOrNone, list } from './rows.ts'
import { BUDGETS } from './scripts/inspect.ts'
import type { Session } from './session.ts'

/** A row as it was found, by its field. */
export interface FoundRow {
  readonly field: string
  readonly bytes: Buffer
  readonly reserved: number
}

/** Units by field of the hash `b`. */
export type Charges = ReadonlyMap<string, number>

/** So often a difference must be there, with the same row and the same units: a reservation may change between two scripts. */
const LOOKS = 3

/** R2: what open and expired reservations have charged each row with. @param key those of one key alone */
export async function chargesOf(session: Session, key?: string): Promise<Charges> {
  const charges = new Map<string, number>()
  for await (const { rows } of reservationPages(session, key))
    for (const { key: its, period, charged } of rows.flatMap(setAside)) {
      const field = fieldOf({ key: its, period: period ?? 0 })
      charges.set(field, (charges.get(field) ?? 0) + charged)
    }
  return charges
}

/**
 * What the rows have been charged with, of the same moment as they. One that differs is looked at again, with the reservations read between two looks; it is left out where
 * it has changed since.
 * @param charges as they were before
 */
export async function chargesNow(session: Session, rows: readonly FoundRow[], charges: Charges): Promise<Charges> {
  const known = new Map(rows.map(({ field, reserved }) => [field, reserved]))
  let doubtful = rows.filter(({ field, reserved }) => reserved !== (charges.get(field) ?? 0))
  const seen = new Map<string, number>()
  for (let look = 0; look < LOOKS && doubtful.length > 0; look += 1) {
    const now = await chargesOf(session)
    const found = await bytesNow(session, doubtful)
    doubtful = doubtful.filter(({ field, bytes, reserved }, at) => {
      const units = now.get(field) ?? 0
      const isSame = found[at]?.equals(bytes) === true && (seen.get(field) ?? units) === units
      if (!isSame) known.delete(field)
      seen.set(field, units)
      return isSame && units !== reserved
    })
  }
  for (const { field } of doubtful) known.set(field, seen.get(field) ?? 0)
  return known
}

async function bytesNow(session: Session, rows: readonly FoundRow[]): Promise<readonly (Buffer | undefined)[]> {
  const values = rows.map(({ field }) => field)
  return list(await session.run({ script: BUDGETS, values, phase: 'load' })).map(bytesOrNone)
}
