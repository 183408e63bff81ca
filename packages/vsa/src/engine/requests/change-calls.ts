import type { ChangeOutcome, ReservationChange } from '../../core/reservations/messages.ts'
import type { Gate } from '../budget/gate.ts'
import { CallList } from '../runtime/call-list.ts'
import type { Deferred } from '../runtime/deferred.ts'

/** A change of a reservation that waits for the store. */
export interface ChangeCall {
  readonly change: ReservationChange
  /** Of the budget that names it. */
  readonly gate: Gate
  readonly reply: Deferred<ChangeOutcome>
  /** An exchange carries it. */
  isInFlight: boolean
  /** It was sent: what became of it is known when its answer comes, or when it is asked again. */
  wasSent: boolean
  /** R5: the store has refused it, for units that other owners, or leases of this one, may yet return. */
  wasRefused: boolean
}

/**
 * Changes of reservations, in order of arrival. Each is named by an id and counts once, or is absolute: one whose fate is not known is sent again.
 */
export class ChangeCalls {
  readonly #waiting: CallList<ChangeCall> = new CallList(({ reply }) => reply.settled)
  /** Refused, until other owners may have returned units. */
  #parked: ChangeCall[] = []

  /** May count calls that are over. */
  get waiting(): number {
    return this.#waiting.length
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && !this.hasParked
  }

  get hasParked(): boolean {
    return this.#parked.some(({ reply }) => !reply.settled)
  }

  add(call: ChangeCall): void {
    this.#waiting.add(call)
  }

  park(call: ChangeCall): void {
    call.wasRefused = true
    call.isInFlight = false
    this.#parked.push(call)
  }

  /** The pause is over. */
  unpark(): void {
    if (this.#parked.length === 0) return
    this.putBack(this.#parked)
    this.#parked = []
  }

  /** Before all others. */
  putBack(calls: readonly ChangeCall[]): void {
    const waiting = calls.filter(({ reply }) => !reply.settled)
    for (const call of waiting) call.isInFlight = false
    this.#waiting.putBack(waiting)
  }

  /** Takes at most `max` of those that are not over. */
  take(max: number): readonly ChangeCall[] {
    const taken = this.#waiting.takeSome(max)
    for (const call of taken) {
      call.wasSent = true
      call.isInFlight = true
    }
    return taken
  }

  /** Nothing is sent any more. */
  takeAll(): readonly ChangeCall[] {
    const calls = [...this.#waiting.takeAll(), ...this.#parked]
    this.#parked = []
    return calls
  }
}
