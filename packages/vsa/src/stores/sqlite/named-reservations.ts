import type { DamagedReservation } from '../../core/adapter.ts'
import { invariant, InvariantError } from '../../core/errors.ts'
import { keysOf, nameOf, type ReservationName } from '../../core/reservations/names.ts'
import type { ReservationRow } from '../../core/rows.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'
import type { Row } from './client/driver.ts'
import type { StatementCache } from './client/statement-cache.ts'
import { integer, reservationFrom, text } from './rows.ts'
import * as sql from './sql.ts'

/** One that is named by some of its budgets. */
interface Named {
  /** By its first budget. */
  readonly own: ReservationName
  /** As they were asked for. */
  readonly names: ReservationName[]
  /** Not decoded yet. */
  row: Row | undefined
}

/** The reservations that names stand for: each row once, however many of its budgets name it. */
export class NamedReservations {
  readonly #found = new Map<string, Named>()

  read(statements: StatementCache, names: readonly ReservationName[]): void {
    for (const { name, firstKey, row } of rowsOf(statements, names)) {
      const one = this.#one(firstKey === undefined ? name : { key: firstKey, id: name.id })
      if (firstKey === undefined) one.row = row
      one.names.push(name)
    }
    // Those that are named by other budgets than the first one alone.
    const lacking = [...this.#found.values()].flatMap(({ own, row }) => (row === undefined ? own : []))
    if (lacking.length === 0) return
    for (const { name, firstKey, row } of rowsOf(statements, lacking))
      if (firstKey === undefined) this.#one(name).row = row
  }

  #one(own: ReservationName): Named {
    const name = nameOf(own.key, own.id)
    const known = this.#found.get(name)
    if (known !== undefined) return known
    const made = { own, names: [], row: undefined }
    this.#found.set(name, made)
    return made
  }

  /** One that cannot be read is under each of the names that were asked for (S6). */
  all(): readonly (ReservationRow | DamagedReservation)[] {
    return [...this.#found.values()].flatMap(({ names, row }) => (row === undefined ? [] : decoded(row, names)))
  }
}

interface NamedRow {
  readonly name: ReservationName
  /** Undefined where the name is its own. */
  readonly firstKey: string | undefined
  readonly row: Row
}

function rowsOf(statements: StatementCache, names: readonly ReservationName[]): readonly NamedRow[] {
  const list = JSON.stringify(names.map(({ key, id }) => [encodeText(key), encodeText(id)]))
  return statements
    .statement(sql.RESERVATIONS)
    .all([list])
    .map((row) => {
      const name = names[integer(row[0])]
      invariant(name !== undefined, 'a reservation was read for a name of the list')
      return { name, firstKey: row[1] === null ? undefined : decodeText(text(row[1])), row }
    })
}

function decoded(row: Row, names: readonly ReservationName[]): readonly (ReservationRow | DamagedReservation)[] {
  try {
    const reservation = reservationFrom(row, 2)
    const keys = new Set(keysOf(reservation))
    const others = names.filter(({ key }) => !keys.has(key))
    const damaged = others.map((name) => ({ ...name, detail: 'it has no budget of this key' }))
    return others.length < names.length ? [reservation, ...damaged] : damaged
  } catch (error) {
    if (error instanceof InvariantError) return names.map((name) => ({ ...name, detail: error.message }))
    throw error
  }
}
