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
  /** Undefined until it is read. */
  row: Row | undefined
  /** Undefined until it is decoded. */
  decoded: Decoded | undefined
}

/** A text where it cannot be read. */
type Decoded = string | { readonly reservation: ReservationRow; readonly keys: ReadonlySet<string> }

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

  /** In the order of the names: none behind the bound is taken before one in front of it, whether this connection knows it or not. */
  read(names: readonly ReservationName[], bound: LoadBound): void {
    const { cache } = this.#source
    const found = this.#look(names.filter((name) => cache.reservation(name) === undefined))
    for (const name of names) {
      const cached = cache.reservation(name)
      const one = found.get(name)
      if (cached !== undefined) this.#take(cached, name, bound)
      else if (one?.row !== undefined) this.#takeNamed(one, one.row, name, bound)
    }
  }

  /** Nothing is decoded. */
  #look(names: readonly ReservationName[]): ReadonlyMap<ReservationName, Named> {
    const found = new Map<ReservationName, Named>()
    if (names.length === 0) return found
    for (const { name, firstKey, row } of this.#rowsOf(names)) {
      const one = this.#one(firstKey === undefined ? name : { key: firstKey, id: name.id })
      if (firstKey === undefined) one.row ??= row
      found.set(name, one)
    }
    // Those that are named by other budgets than the first one alone.
    const lacking = [...new Set(found.values())].flatMap(({ own, row }) => (row === undefined ? own : []))
    if (lacking.length > 0)
      for (const { name, firstKey, row } of this.#rowsOf(lacking)) if (firstKey === undefined) this.#one(name).row = row
    return found
  }

  #take(row: ReservationRow, name: ReservationName, bound: LoadBound): void {
    const own = nameOf(row.key, row.id)
    if (this.#reservations.has(own)) return
    if (bound.isReached) return void this.left.push(name)
    bound.add(row)
    this.#reservations.set(own, row)
  }

  /** One that cannot be read is under each of the names that were asked for (S6). */
  #takeNamed(one: Named, row: Row, name: ReservationName, bound: LoadBound): void {
    if (one.decoded === undefined && bound.isReached) return void this.left.push(name)
    one.decoded ??= decoded(row)
    if (typeof one.decoded === 'string') this.damaged.push({ ...name, detail: one.decoded })
    else if (one.decoded.keys.has(name.key)) this.#take(one.decoded.reservation, name, bound)
    else this.damaged.push({ ...name, detail: 'it has no budget of this key' })
  }

  #one(own: ReservationName): Named {
    const name = nameOf(own.key, own.id)
    const known = this.#found.get(name)
    if (known !== undefined) return known
    const made: Named = { own, row: undefined, decoded: undefined }
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

function decoded(row: Row): Decoded {
  try {
    const reservation = reservationFrom(row, 2)
    return { reservation, keys: new Set(keysOf(reservation)) }
  } catch (error) {
    if (error instanceof InvariantError) return error.message
    throw error
  }
}
