import type { DamagedReservation } from '../adapter.ts'
import type { ReservationWrite } from '../written-rows.ts'
import { BooksError, RowDraft } from '../row-draft.ts'
import type { ReservationLot, ReservationRow } from '../rows.ts'
import type { DroppedIntent, SettleIntent } from './intents.ts'
import { isOpen, keysOf, nameOf } from './names.ts'
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
  readonly #rows = new Map<string, ReservationRow>()
  readonly #writes = new Map<string, ReservationWrite>()
  readonly #damaged = new Map<string, DamagedReservation>()
  #intents: readonly SettleIntent[]
  readonly #removedIntents: number[] = []
  readonly #droppedIntents: DroppedIntent[] = []
  readonly #isFrozen: boolean

  constructor(loaded: readonly ReservationRow[], sources: SourceDrafts, time: number, scene: BooksScene) {
    const { damaged = [], intents = [], isFrozen } = scene
    this.time = time
    this.sources = sources
    this.#intents = intents
    this.#isFrozen = isFrozen
    for (const row of loaded) this.#note(row)
    for (const one of damaged) this.#damaged.set(nameOf(one.key, one.id), one)
  }

  /** As it is once its intents (T1), and then its end, where that has passed (R3), have been counted. Undefined where nothing is remembered. @throws see `damageOf` */
  find(key: string, id: string): ReservationRow | undefined {
    const damaged = this.#damaged.get(nameOf(key, id))
    if (damaged !== undefined) throw new DamagedReservationError(damaged)
    const row = this.#rows.get(nameOf(key, id))
    if (row !== undefined) return this.#expire(this.#applyIntents(row))
    // What nothing is remembered for must not settle what is made under the id now.
    for (const intent of this.#intents) if (intent.key === key && intent.id === id) this.#drop(intent)
    return undefined
  }

  /** The lot that the key names. @throws see `damageOf` */
  lot(key: string, id: string): OpenedLot | undefined {
    const row = this.find(key, id)
    return row === undefined ? undefined : this.#lotOf(row, key)
  }

  add(row: ReservationRow): void {
    this.#note(row)
    this.#writes.set(nameOf(row.key, row.id), { change: 'created', row })
  }

  /** @returns the row with the new lot */
  replace({ row, at }: Pick<OpenedLot, 'row' | 'at'>, lot: ReservationLot): ReservationRow {
    const next = { ...row, lots: row.lots.with(at, lot) }
    const name = nameOf(row.key, row.id)
    this.#note(next)
    this.#writes.set(name, { change: this.#writes.get(name)?.change ?? 'changed', row: next })
    return next
  }

  /** T1: the first settlement of a lot counts, direct or not, and each intent is removed. @throws BooksError: one that was not applied stays */
  #applyIntents(row: ReservationRow): ReservationRow {
    if (this.#intents.length === 0) return row
    const keys = keysOf(row)
    let next = row
    for (const intent of this.#intents) {
      if (intent.id !== row.id || !keys.includes(intent.key)) continue
      const opened = this.#lotOf(next, intent.key)
      if (opened !== undefined && opened.lot.state !== 'final')
        next = this.replace(opened, settleLot(opened, intent.units, { time: this.time, isFrozen: this.#isFrozen }))
      this.#remove(intent)
    }
    return next
  }

  #remove(intent: SettleIntent): void {
    this.#intents = this.#intents.filter((one) => one !== intent)
    this.#removedIntents.push(intent.number)
  }

  #drop(intent: SettleIntent): void {
    this.#remove(intent)
    this.#droppedIntents.push({ ...intent, reason: 'unknown_id' })
  }

  #lotOf(row: ReservationRow, key: string): OpenedLot | undefined {
    const at = row.lots.findIndex(({ sources }) => sources.some((one) => one.key === key && one.period !== null))
    return at < 0 ? undefined : this.#open(row, at)
  }

  /** R3: a provisional settlement of each open lot whose time has passed. @throws BooksError before anything has changed */
  #expire(row: ReservationRow): ReservationRow {
    const due = row.lots.flatMap((lot, at) => (isOpen(lot) && lot.expiresAt <= this.time ? [this.#open(row, at)] : []))
    let next = row
    for (const { at, lot, sources } of due) {
      const returned = row.onExpire === 'return'
      if (returned) lot.sources.forEach(({ charged }, index) => release(sources[index], charged))
      next = this.replace(
        { row: next, at },
        {
          ...lot,
          state: 'expired',
          keepUntil: this.time + RESERVATION_KEPT_MS,
          sources: returned ? lot.sources.map((source) => ({ ...source, charged: 0 })) : lot.sources,
        },
      )
    }
    return next
  }

  /** All lots of the row. @throws BooksError */
  opened(row: ReservationRow): readonly OpenedLot[] {
    return row.lots.map((_lot, at) => this.#open(row, at))
  }

  /** All lots of the row, once its end, where that has passed, has been counted (R3). @throws BooksError before anything has changed */
  ended(row: ReservationRow): readonly OpenedLot[] {
    this.opened(row)
    return this.opened(this.#expire(row))
  }

  /** What is to be written. */
  get writes(): readonly ReservationWrite[] {
    return [...this.#writes.values()]
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
  #open(row: ReservationRow, at: number): OpenedLot {
    const lot = row.lots[at]
    if (lot === undefined) throw new Error(`unreachable: there is no lot ${at}`)
    const sources = lot.sources.map((source) => this.sources.find(source))
    if (lot.state !== 'final')
      lot.sources.forEach(({ charged }, index) => {
        const draft = sources[index]
        if (draft instanceof RowDraft && draft.reserved < charged)
          throw new BooksError(
            draft,
            `reserved is ${draft.reserved}, and ${JSON.stringify(row.id)} alone has ${charged}`,
          )
      })
    return { row, at, lot, sources }
  }

  #note(row: ReservationRow): void {
    for (const key of keysOf(row)) this.#rows.set(nameOf(key, row.id), row)
  }
}
