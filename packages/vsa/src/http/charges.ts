import { type Charge, ReservedUnits } from './reserved-units.ts'
import type { Spent } from './spent.ts'

const charges = new WeakMap<object, Charge>()

/** @param request what the handler gets, too */
export function noteCharge(request: object, spent: Spent): void {
  if (spent instanceof ReservedUnits) charges.set(request, spent)
}

/**
 * What the middleware with `reserve` has set aside for the request; of several, the last one.
 * @throws TypeError where none has: the middleware does not run for it, or skipped it
 */
export function chargeOf(request: object): Charge {
  const charge = charges.get(request)
  if (charge === undefined)
    throw new TypeError('nothing is reserved for this request: no middleware with reserve has admitted it')
  return charge
}
