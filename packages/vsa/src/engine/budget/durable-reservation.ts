import type { ChangeOutcome, ReservationChange, ReservationState } from '../../core/reservations/messages.ts'
import { assertUnits, UNITS_MAX } from '../../core/units.ts'
import { checkExtension } from '../api/arguments.ts'
import { printAsJson } from '../api/inspect.ts'
import type { Extension, InTransaction, PendingIntent, Reservation, Settled } from '../api/public-types.ts'

/** A change, without the key of the budget that names it. */
export type ChangeOfReservation = ReservationChange extends infer Change
  ? Change extends ReservationChange
    ? Omit<Change, 'key'>
    : never
  : never

/** Sends a change, and says what became of it. Rejects where that is not known, and where the id is not. */
export type SendChange = (change: ChangeOfReservation) => Promise<ChangeOutcome>

/** Writes a settlement into a transaction of the user's (T1). */
export type SettleWithin = (units: number, options: InTransaction) => Promise<PendingIntent>

/** What this process knows of it when the handle is made. */
export interface KnownReservation {
  readonly units: number
  readonly state: ReservationState
}

/**
 * A reservation that the store keeps (policies.md section 7): this handle carries its id and what was metered, and asks the store for everything else.
 */
export class DurableReservation implements Reservation {
  static {
    printAsJson(this)
  }

  readonly id: string
  readonly #key: string
  readonly #send: SendChange
  readonly #settleWithin: SettleWithin
  #units: number
  #state: Reservation['state']
  #metered = 0
  /** Of a settlement that has its answer: it is the one for ever. */
  #outcome: Settled | null = null

  /** @param known null: no call yet */
  constructor(
    key: string,
    id: string,
    { send, settleWithin }: { readonly send: SendChange; readonly settleWithin: SettleWithin },
    known: KnownReservation | null,
  ) {
    this.#key = key
    this.id = id
    this.#send = send
    this.#settleWithin = settleWithin
    this.#units = known?.units ?? 0
    this.#state = known === null ? 'unknown' : shownState(known.state)
  }

  get units(): number {
    return this.#units
  }

  get state(): Reservation['state'] {
    return this.#state
  }

  meter(units = 1): boolean {
    assertUnits('units', units)
    if (this.#state === 'settled') return false
    this.#metered = Math.min(this.#metered + units, UNITS_MAX)
    return this.#metered <= this.#units
  }

  settle(actual: number | undefined, options: InTransaction): Promise<PendingIntent>
  settle(actual?: number): Promise<Settled>
  async settle(actual: number = this.#metered, options?: InTransaction): Promise<Settled | PendingIntent> {
    assertUnits('actual', actual)
    if (options !== undefined) return this.#settleWithin(actual, options)
    if (this.#outcome !== null) return { ...this.#outcome, repeated: true }
    const outcome = await this.#send({ op: 'settle', id: this.id, units: actual })
    if (outcome.kind !== 'settled') throw unexpected(outcome)
    this.#state = 'settled'
    const { settled, uncovered, repeated } = outcome
    this.#outcome = { settled, uncovered, repeated }
    return this.#outcome
  }

  cancel(options: InTransaction): Promise<PendingIntent>
  cancel(): Promise<Settled>
  cancel(options?: InTransaction): Promise<Settled | PendingIntent> {
    return options === undefined ? this.settle(0) : this.settle(0, options)
  }

  async extend(to: Extension): Promise<boolean> {
    checkExtension(to)
    const outcome = await this.#send({ op: 'extend', id: this.id, units: to.units ?? 0, ttlMs: to.ttlMs ?? 0 })
    if (outcome.kind === 'refused') return false
    if (outcome.kind === 'not_open') {
      this.#state = shownState(outcome.state)
      return false
    }
    if (outcome.kind !== 'extended') throw unexpected(outcome)
    this.#units = outcome.units
    this.#state = 'open'
    return true
  }

  toJSON(): object {
    return { key: this.#key, id: this.id, units: this.#units, state: this.#state }
  }
}

function shownState(state: ReservationState): Reservation['state'] {
  return state === 'final' ? 'settled' : state
}

function unexpected({ kind }: ChangeOutcome): Error {
  return new Error(`unreachable: the outcome is ${kind}`)
}
