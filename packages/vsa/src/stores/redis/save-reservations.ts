import type { Writes } from '../../core/written-rows.ts'
import { sweepAtOf } from '../../core/reservations/names.ts'
import type { Loaded } from './loaded.ts'
import { linkTo, reservationFields, reservationJson } from './reservations.ts'
import type { SavePlan } from './save-plan.ts'

/** A reservation is written under its own name alone: the other names stay what they are. What was loaded under them is expected by `save`. */
export function saveReservations(
  plan: SavePlan,
  { reservations, removedReservations }: Writes,
  { state }: Loaded,
): void {
  const isListed = state.deletions !== ''
  let [rows, names] = [0, 0]
  for (const { change, row } of reservations) {
    const { own, others } = reservationFields(row)
    plan.set('HSET', 'r', own, reservationJson(row))
    plan.set('ZADD', 't', String(sweepAtOf(row)), own)
    if (change !== 'created') continue
    for (const field of others) plan.set('HSET', 'r', field, linkTo(own))
    if (isListed) for (const field of [own, ...others]) plan.set('ZADD', 'q', '0', field)
    rows += 1
    names += 1 + others.length
  }
  for (const row of removedReservations) {
    const { own, others } = reservationFields(row)
    plan.remove('ZREM', 't', own)
    for (const field of [own, ...others]) {
      plan.remove('HDEL', 'r', field)
      if (isListed) plan.remove('ZREM', 'q', field)
    }
    rows -= 1
    names -= 1 + others.length
  }
  if (rows !== 0) plan.command('HINCRBY', 's', ['reservations', String(rows)])
  if (names !== 0) plan.command('HINCRBY', 's', ['names', String(names)])
}
