import type { ChangeOutcome, ReservationChange } from '../../core/reservations/messages.ts'
import { CHANGE_LATE, closedError, reservationOpenError, reservationUnknownError, timeoutError } from '../api/errors.ts'
import type { GivenBack } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { ChangeOfReservation } from '../budget/durable-reservation.ts'
import type { Gate } from '../budget/gate.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { ChangeCall, ChangeCalls } from '../requests/change-calls.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import type { Session } from '../session/session.ts'

export interface ReservationCallParts {
  readonly settings: Settings
  readonly session: Session
  readonly scheduler: FlushScheduler
  readonly calls: PendingCalls
  readonly changes: ChangeCalls
}

/** Stands for the deadline of an extension that the store has refused until then. Never leaves this file. */
const REFUSED = new Error('refused')

/** Changes of reservations that the store keeps: each waits for its exchange, and is durable on return (R4, R5, I2). */
export class ReservationCalls {
  readonly #parts: ReservationCallParts

  constructor(parts: ReservationCallParts) {
    this.#parts = parts
  }

  /** @throws VsaError `reservation_unknown`, `timeout`, `store_unavailable`, `closed`, `quarantined` */
  async change(handle: Gate, change: ChangeOfReservation, deadlineMs?: number): Promise<ChangeOutcome> {
    const gate = handle.family.live(handle)
    try {
      const outcome = await this.#send(gate, { ...change, key: gate.key }, deadlineMs)
      if (outcome.kind === 'unknown') throw reservationUnknownError(gate.key, change.id)
      return outcome
    } catch (error) {
      if (error === REFUSED) return { kind: 'refused' }
      throw error
    }
  }

  /** I2 @throws VsaError as `change`, and `reservation_open` */
  async refund(gate: Gate, units: number, id: string, deadlineMs: number): Promise<GivenBack> {
    const outcome = await this.change(gate, { op: 'refund', id, units }, deadlineMs)
    if (outcome.kind === 'refunded') return { units: outcome.units, repeated: outcome.repeated }
    throw reservationOpenError(gate.key, id)
  }

  #send(gate: Gate, change: ReservationChange, deadlineMs = this.#parts.settings.deadlineMs): Promise<ChangeOutcome> {
    const { session, scheduler, calls, changes } = this.#parts
    const { key } = gate
    // R8: until the last batch.
    if (scheduler.ended) throw closedError(key)
    const timedOut = (): Error => {
      const { lastError } = session
      if (call.wasRefused && !call.isInFlight && lastError === null) return REFUSED
      const applied = call.wasSent ? 'unknown' : 'no'
      return timeoutError({ key, deadlineMs, applied, lastError, ...(call.wasSent && { outcome: CHANGE_LATE }) })
    }
    const reply = calls.open<ChangeOutcome>({ key, deadlineMs, timedOut })
    const call: ChangeCall = { change, gate, reply, isInFlight: false, wasSent: false, wasRefused: false }
    changes.add(call)
    scheduler.wake()
    return reply.promise
  }
}
