import {
  type Budget,
  type Denied,
  type DurableReserve,
  type Reservation,
  type ReserveAllDecision,
  type Vsa,
  VsaError,
} from '../index.ts'
import { boundedId } from './budget-finder.ts'
import type { HttpClock } from './http-clock.ts'
import type { LimitOptions, ReserveTerms } from './limit-options.ts'
import { RequestError } from './request-error.ts'
import { type Reserved, ReservedUnits } from './reserved-units.ts'
import type { UnitsOf } from './spent-units.ts'

const TTL_MS = 300_000
/** After which units that other requests have set aside may be back: that is not known, and it is soon. */
const HELD_RETRY_MS = 1_000

/** One reservation for each need, or why there is none. */
type Made = readonly Reservation[] | Denied

/** Sets units aside before the handler. */
export class RequestReservations<Request> {
  readonly #vsa: Vsa
  readonly #terms: ReserveTerms<Request>
  readonly #refundWhen: LimitOptions<Request>['refundWhen']
  readonly #clock: HttpClock
  /** Units that requests of this process have set aside now, by the key of their budget. */
  readonly #held = new Map<string, number>()

  constructor(
    vsa: Vsa,
    terms: ReserveTerms<Request>,
    refundWhen: LimitOptions<Request>['refundWhen'],
    clock: HttpClock,
  ) {
    this.#vsa = vsa
    this.#terms = terms
    this.#refundWhen = refundWhen
    this.#clock = clock
  }

  /** The denial, where the units are not there. */
  async reserve(wanted: readonly UnitsOf[], request: Request): Promise<ReservedUnits | Denied> {
    const { ttlMs = TTL_MS, id } = this.#terms
    const reservations = await (id === undefined
      ? this.#vsa.decideReserveAll(needsOf(wanted)).then(madeOf)
      : this.#reserveInStore(wanted, idOf(id(request))))
    if ('admitted' in reservations) return this.#refusal(reservations)
    for (const { budget, units } of wanted) this.#hold(budget, units)
    const refundWhen = this.#refundWhen
    return new ReservedUnits(named(wanted, reservations), {
      isRefunded: refundWhen === undefined ? null : (ended) => refundWhen(ended, request),
      clock: this.#clock,
      // In the store it ends at `ttlMs`: it is settled a little before.
      ttlMs: id === undefined ? ttlMs : Math.ceil(ttlMs * 0.9),
      onOver: () => {
        for (const { budget, units } of wanted) this.#hold(budget, -units)
      },
    })
  }

  #hold({ key }: Budget, units: number): void {
    const held = (this.#held.get(key) ?? 0) + units
    if (held > 0) this.#held.set(key, held)
    else this.#held.delete(key)
  }

  /** What requests under way have set aside may be back long before the period ends. */
  #refusal(denied: Denied): Denied {
    const { reason, key, units, remaining = 0 } = denied
    if (reason !== 'exhausted' || remaining + (this.#held.get(key) ?? 0) < units) return denied
    return { ...denied, reason: 'reserved', retryAfterMs: HELD_RETRY_MS }
  }

  /** The store keeps none of 0 units: those are in memory. */
  async #reserveInStore(wanted: readonly UnitsOf[], id: string): Promise<Made> {
    const { ttlMs = TTL_MS, onExpire = 'capture' } = this.#terms
    const needs = wanted.filter(({ units }) => units > 0)
    const kept = needs.length === 0 ? [] : await this.#kept(needs, { id, ttlMs, onExpire })
    if ('admitted' in kept) return kept
    if (kept.some(({ state }) => state !== 'open'))
      throw new RequestError('id_used', 'the reservation of this id has ended: take another id', 409)
    const all = wanted.map(async (one) => kept[needs.indexOf(one)] ?? one.budget.reserve(0))
    return (await Promise.all(all)).filter((one) => one !== null)
  }

  async #kept(needs: readonly UnitsOf[], terms: DurableReserve): Promise<Made> {
    try {
      return madeOf(await this.#vsa.decideReserveAll(needsOf(needs), terms))
    } catch (error) {
      if (!(error instanceof VsaError && error.code === 'id_conflict')) throw error
      throw new RequestError('id_conflict', 'the id is that of a request with other budgets or another cost', 422)
    }
  }
}

function madeOf(decision: ReserveAllDecision): Made {
  return decision.reservations ?? decision
}

function needsOf(wanted: readonly UnitsOf[]): readonly (readonly [Budget, number])[] {
  return wanted.map(({ budget, units }) => [budget, units])
}

function idOf(id: unknown): string {
  if (typeof id === 'string' && id !== '') return boundedId(id)
  throw new RequestError('id_invalid', 'options.reserve.id must answer a string of 1 or more characters', 400)
}

function named(wanted: readonly UnitsOf[], reservations: readonly Reservation[]): readonly Reserved[] {
  return wanted.flatMap(({ name, budget }, at) => {
    const reservation = reservations[at]
    return reservation === undefined ? [] : [{ name, budget, reservation }]
  })
}
