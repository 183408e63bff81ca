import type { DamagedReservation } from '../adapter.ts'
import type { ReservationWrite } from '../written-rows.ts'
import { invariant } from '../errors.ts'
import { BooksError, RowDraft } from '../row-draft.ts'
import type { ReservationLot, ReservationRow } from '../rows.ts'
import { BookedReservation } from './booked-reservation.ts'
import type { DroppedIntent, SettleIntent } from './intents.ts'
import { isOpen, keysOf, nameOf, type ReservationName } from './names.ts'
import { type OpenedLot, RESERVATION_KEPT_MS, settleLot } from './settlement.ts'
import { release, type SourceDrafts } from './sources.ts'

/** What is remembered cannot be read (S6). */
class DamagedReservationError extends Error {
  override readonly name: string = 'DamagedReservationError'

  constructor({ key, id, detail }: DamagedReservation) {
    super(`the reservation ${JSON.stringify(id)} of ${JSON.stringify(key)} cannot be read: ${detail}`)
  }
}

/** What is wrong with a reservation, or with a row that it needs. @throws every other error */
export function damageOf(error: unknown): string {
  if (error instanceof BooksError || error instanceof DamagedReservationError) return error.message
  throw error
}

/** What a transaction knows of reservations beside their rows. */
export interface BooksScene {
  readonly damaged?: readonly DamagedReservation[] | undefined
  /** In the order of their numbers: all of a reservation that is loaded. */
  readonly intents?: readonly SettleIntent[] | undefined
  /** F3: an intent gives units back, and takes none. */
  readonly isFrozen: boolean
}

/** The reservations of one transaction, as they become (R1 to R6, I1, I2). */
export class ReservationBooks {
  /** Store time, ms since 1970. */
  readonly time: number
  readonly sources: SourceDrafts
  /** By the name of each of its budgets. */
  readonly #booked = new Map<string, BookedReservation>()
  readonly #changed = new Set<BookedReservation>()
  readonly #damaged = new Map<string, DamagedReservation>()
  /** By name: of what nothing is remembered for. */
  readonly #unknownIntents = new Map<string, SettleIntent[]>()
  readonly #removedIntents: number[] = []
  readonly #droppedIntents: DroppedIntent[] = []
  readonly #isFrozen: boolean

  constructor(loaded: readonly ReservationRow[], sources: SourceDrafts, time: number, scene: BooksScene) {
    const { damaged = [], intents = [], isFrozen } = scene
    this.time = time
    this.sources = sources
    this.#isFrozen = isFrozen
    for (const row of loaded) this.#note(new BookedReservation(row))
    for (const one of damaged) this.#damaged.set(nameOf(one.key, one.id), one)
    for (const intent of intents) this.#noteIntent(intent)
  }

  /** As it is once its intents (T1), and then its end, where that has passed (R3), have been counted. Undefined where nothing is remembered. @throws see `damageOf` */
  find(key: string, id: string): ReservationRow | undefined {
    return this.#find(nameOf(key, id))?.row
  }

  #find(name: string): BookedReservation | undefined {
    const damaged = this.#damaged.get(name)
    if (damaged !== undefined) throw new DamagedReservationError(damaged)
    const booked = this.#booked.get(name)
    if (booked !== undefined) return this.#expire(this.#applyIntents(booked))
    // What nothing is remembered for must not settle what is made under the id now.
    for (const intent of this.#unknownIntents.get(name) ?? []) this.#drop(intent)
    this.#unknownIntents.delete(name)
    return undefined
  }

  /** The lot that the key names. @throws see `damageOf` */
  lot(key: string, id: string): OpenedLot | undefined {
    const booked = this.#find(nameOf(key, id))
    return booked === undefined ? undefined : this.#lotOf(booked, key)
  }

  add(row: ReservationRow): void {
    const booked = new BookedReservation(row, 'created')
    this.#note(booked)
    this.#changed.add(booked)
  }

  replace({ booked, at }: Pick<OpenedLot, 'booked' | 'at'>, lot: ReservationLot): void {
    booked.replace(at, lot)
    this.#changed.add(booked)
  }

  /** T1: the first settlement of a lot counts, direct or not, and each intent is removed. @throws BooksError: one that was not applied stays */
  #applyIntents(booked: BookedReservation): BookedReservation {
    for (let [intent] = booked.intents; intent !== undefined; [intent] = booked.intents) {
      const opened = this.#lotOf(booked, intent.key)
      if (opened !== undefined && opened.lot.state !== 'final')
        this.replace(opened, settleLot(opened, intent.units, { time: this.time, isFrozen: this.#isFrozen }))
      booked.intents.shift()
      this.#removedIntents.push(intent.number)
    }
    return booked
  }

  #drop(intent: SettleIntent): void {
    this.#removedIntents.push(intent.number)
    this.#droppedIntents.push({ ...intent, reason: 'unknown_id' })
  }

  #lotOf(booked: BookedReservation, key: string): OpenedLot | undefined {
    const at = booked.placeOf(key)
    return at === undefined ? undefined : this.#open(booked, at)
  }

  /** R3: a provisional settlement of each open lot whose time has passed: once in a transaction, because its time stands still. @throws BooksError before anything has changed */
  #expire(booked: BookedReservation): BookedReservation {
    if (booked.isEnded) return booked
    const { row } = booked
    const due = row.lots.flatMap((lot, at) =>
      isOpen(lot) && lot.expiresAt <= this.time ? [this.#open(booked, at)] : [],
    )
    booked.isEnded = true
    for (const opened of due) {
      const { lot, sources } = opened
      const returned = row.onExpire === 'return'
      if (returned) lot.sources.forEach(({ charged }, index) => release(sources[index], charged))
      this.replace(opened, {
        ...lot,
        state: 'expired',
        keepUntil: this.time + RESERVATION_KEPT_MS,
        sources: returned ? lot.sources.map((source) => ({ ...source, charged: 0 })) : lot.sources,
      })
    }
    return booked
  }

  /** All lots of the row, as they are. @throws BooksError */
  opened({ key, id }: ReservationName): readonly OpenedLot[] {
    return this.#openAll(this.#known(key, id))
  }

  /** All lots of the row, once its end, where that has passed, has been counted (R3). @throws BooksError before anything has changed */
  ended({ key, id }: ReservationName): readonly OpenedLot[] {
    const booked = this.#known(key, id)
    this.#openAll(booked)
    return this.#openAll(this.#expire(booked))
  }

  #known(key: string, id: string): BookedReservation {
    const booked = this.#booked.get(nameOf(key, id))
    invariant(booked !== undefined, 'a reservation that is opened was loaded')
    return booked
  }

  #openAll(booked: BookedReservation): readonly OpenedLot[] {
    return booked.row.lots.map((_lot, at) => this.#open(booked, at))
  }

  /** What is to be written. */
  get writes(): readonly ReservationWrite[] {
    return [...this.#changed].flatMap(({ write }) => write ?? [])
  }

  /** Numbers of intents that were applied, or that nothing is remembered for. */
  get removedIntents(): readonly number[] {
    return this.#removedIntents
  }

  /** Those of them that had no effect. */
  get droppedIntents(): readonly DroppedIntent[] {
    return this.#droppedIntents
  }

  /** R2: what is charged must be set aside in its row. @throws BooksError */
  #open(booked: BookedReservation, at: number): OpenedLot {
    const { id, lots } = booked.row
    const lot = lots[at]
    if (lot === undefined) throw new Error(`unreachable: there is no lot ${at}`)
    const sources = lot.sources.map((source) => this.sources.find(source))
    if (lot.state !== 'final')
      lot.sources.forEach(({ charged }, index) => {
        const draft = sources[index]
        if (draft instanceof RowDraft && draft.reserved < charged)
          throw new BooksError(draft, `reserved is ${draft.reserved}, and ${JSON.stringify(id)} alone has ${charged}`)
      })
    return { booked, at, lot, sources }
  }

  /** Once for each row. */
  #note(booked: BookedReservation): void {
    const { id } = booked.row
    for (const key of keysOf(booked.row)) this.#booked.set(nameOf(key, id), booked)
  }

  #noteIntent(intent: SettleIntent): void {
    const name = nameOf(intent.key, intent.id)
    const booked = this.#booked.get(name)
    if (booked !== undefined) return void booked.intents.push(intent)
    const unknown = this.#unknownIntents.get(name)
    if (unknown === undefined) this.#unknownIntents.set(name, [intent])
    else unknown.push(intent)
  }
}
