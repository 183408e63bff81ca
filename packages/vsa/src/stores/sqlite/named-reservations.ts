import type { DamagedReservation } from '../../core/adapter.ts'
import { invariant, InvariantError } from '../../core/errors.ts'
import type { LoadBound } from '../../core/reservations/load-bound.ts'
import { keysOf, nameOf, type ReservationName } from '../../core/reservations/names.ts'
import type { ReservationRow } from '../../core/rows.ts'
import { decodeText, encodeText } from '../../core/stored-text.ts'
import type { Row } from './client/driver.ts'
import type { Source } from './load-entries.ts'
import { integer, reservationFrom, text } from './rows.ts'
import * as sql from './sql.ts'

/** One that is named by some of its budgets. */
interface Named {
  /** By its first budget. */
  readonly own: ReservationName
  /** As they were asked for, and were not looked at yet. */
  names: ReservationName[]
  /** Undefined until it is read. */
  row: Row | undefined
  /** A text where it cannot be read; undefined until it is decoded. */
  reservation: ReservationRow | string | undefined
}

/** The reservations that names stand for: each is read and decoded once, however many of its budgets name it. */
export class NamedReservations {
  readonly #source: Source
  readonly #found = new Map<string, Named>()
  readonly #reservations = new Map<string, ReservationRow>()
  readonly damaged: DamagedReservation[] = []
  /** Names of those that were behind the bound. */
  readonly left: ReservationName[] = []

  constructor(source: Source) {
    this.#source = source
  }

  get reservations(): readonly ReservationRow[] {
    return [...this.#reservations.values()]
  }

  read(names: readonly ReservationName[], bound: LoadBound): void {
    const unknown = names.filter((name) => !this.#takeCached(name, bound))
    if (unknown.length === 0) return
    const touched = new Set<Named>()
    for (const { name, firstKey, row } of this.#rowsOf(unknown)) {
      const one = this.#one(firstKey === undefined ? name : { key: firstKey, id: name.id })
      if (firstKey === undefined) one.row ??= row
      one.names.push(name)
      touched.add(one)
    }
    // Those that are named by other budgets than the first one alone.
    const lacking = [...touched].flatMap(({ own, row }) => (row === undefined ? own : []))
    if (lacking.length > 0)
      for (const { name, firstKey, row } of this.#rowsOf(lacking)) if (firstKey === undefined) this.#one(name).row = row
    for (const one of touched) this.#decode(one, bound)
  }

  #takeCached(name: ReservationName, bound: LoadBound): boolean {
    const row = this.#source.cache.reservation(name)
    if (row === undefined) return false
    const isNew = !this.#reservations.has(nameOf(row.key, row.id))
    if (isNew && bound.isReached) this.left.push(name)
    else if (isNew) this.#keep(row, bound)
    return true
  }

  #keep(row: ReservationRow, bound: LoadBound): void {
    bound.add(row)
    this.#reservations.set(nameOf(row.key, row.id), row)
  }

  /** One that cannot be read is under each of the names that were asked for (S6). */
  #decode(one: Named, bound: LoadBound): void {
    const { row, names } = one
    one.names = []
    if (row === undefined) return
    if (one.reservation === undefined && bound.isReached) return void this.left.push(...names)
    one.reservation ??= decoded(row)
    const { reservation } = one
    if (typeof reservation === 'string')
      return void this.damaged.push(...names.map((name) => ({ ...name, detail: reservation })))
    const keys = new Set(keysOf(reservation))
    const others = names.filter(({ key }) => !keys.has(key))
    this.damaged.push(...others.map((name) => ({ ...name, detail: 'it has no budget of this key' })))
    const isNew = !this.#reservations.has(nameOf(reservation.key, reservation.id))
    if (isNew && others.length < names.length) this.#keep(reservation, bound)
  }

  #one(own: ReservationName): Named {
    const name = nameOf(own.key, own.id)
    const known = this.#found.get(name)
    if (known !== undefined) return known
    const made: Named = { own, names: [], row: undefined, reservation: undefined }
    this.#found.set(name, made)
    return made
  }

  #rowsOf(names: readonly ReservationName[]): readonly NamedRow[] {
    const list = JSON.stringify(names.map(({ key, id }) => [encodeText(key), encodeText(id)]))
    return this.#source.statements
      .statement(sql.RESERVATIONS)
      .all([list])
      .map((row) => {
        const name = names[integer(row[0])]
        invariant(name !== undefined, 'a reservation was read for a name of the list')
        return { name, firstKey: row[1] === null ? undefined : decodeText(text(row[1])), row }
      })
  }
}

interface NamedRow {
  readonly name: ReservationName
  /** Undefined where the name is its own. */
  readonly firstKey: string | undefined
  readonly row: Row
}

/** Or what is wrong with it. */
function decoded(row: Row): ReservationRow | string {
  try {
    return reservationFrom(row, 2)
  } catch (error) {
    if (error instanceof InvariantError) return error.message
    throw error
  }
}
