import type { Decision } from '../../core/decision.ts'
import { invariant } from '../../core/errors.ts'
import type { Reservation, ReserveAllDecision, ReserveDecision } from '../api/public-types.ts'

/** What became of a call that reserves. */
export interface MadeReservations {
  readonly decision: Decision
  /** Null: the decision denied. */
  readonly reservations: readonly Reservation[] | null
}

/** Of one budget, or of several sources together. */
export function onlyOf({ reservations }: MadeReservations): Reservation | null {
  return reservations?.[0] ?? null
}

export function decisionAboutOne(made: MadeReservations): ReserveDecision {
  const { decision } = made
  if (!decision.admitted) return decision
  const reservation = onlyOf(made)
  invariant(reservation !== null, 'what was admitted has a reservation')
  return { ...decision, reservation }
}

export function decisionAboutAll({ decision, reservations }: MadeReservations): ReserveAllDecision {
  if (!decision.admitted) return decision
  invariant(reservations !== null, 'what was admitted has reservations')
  return { ...decision, reservations }
}
