import { type Decision, type DurableReserve, type Reservation, type Vsa, VsaError } from '../index.ts'
import { boundedId } from './budget-finder.ts'
import type { DeniedFigures } from './denial.ts'
import type { HttpClock } from './http-clock.ts'
import type { LimitOptions, ReserveTerms } from './limit-options.ts'
import { figuresAfter, type PolicyFigures } from './policy-figures.ts'
import { RequestError } from './request-error.ts'
import { type Reserved, ReservedUnits } from './reserved-units.ts'
import type { UnitsOf } from './spent-units.ts'

const TTL_MS = 300_000
/** Other processes hold the units for now. */
const RESERVED_RETRY_MS = 1_000

/** Sets units aside before the handler. */
export class RequestReservations<Request> {
  readonly #vsa: Vsa
  readonly #terms: ReserveTerms<Request>
  readonly #refundWhen: LimitOptions<Request>['refundWhen']
  readonly #clock: HttpClock

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

  /** Null: the units are not there. */
  async reserve(wanted: readonly UnitsOf[], request: Request): Promise<ReservedUnits | null> {
    const { ttlMs = TTL_MS, id } = this.#terms
    const reservations = await (id === undefined
      ? this.#vsa.reserveAll(wanted.map(({ budget, units }) => [budget, units]))
      : this.#reserveInStore(wanted, idOf(id(request))))
    if (reservations === null) return null
    const refundWhen = this.#refundWhen
    return new ReservedUnits(named(wanted, reservations), {
      isRefunded: refundWhen === undefined ? null : (ended) => refundWhen(ended, request),
      clock: this.#clock,
      // In the store it ends at `ttlMs`: it is settled a little before.
      ttlMs: id === undefined ? ttlMs : Math.ceil(ttlMs * 0.9),
    })
  }

  /** The store keeps none of 0 units: those are in memory. */
  async #reserveInStore(wanted: readonly UnitsOf[], id: string): Promise<readonly Reservation[] | null> {
    const { ttlMs = TTL_MS, onExpire = 'capture' } = this.#terms
    const needs = wanted.filter(({ units }) => units > 0)
    const kept = needs.length === 0 ? [] : await this.#kept(needs, { id, ttlMs, onExpire })
    if (kept === null) return null
    if (kept.some(({ state }) => state !== 'open'))
      throw new RequestError('id_used', 'the reservation of this id has ended: take another id', 409)
    const all = await Promise.all(wanted.map(async (one) => kept[needs.indexOf(one)] ?? one.budget.reserve(0)))
    const reservations = all.filter((one) => one !== null)
    return reservations.length === all.length ? reservations : null
  }

  async #kept(needs: readonly UnitsOf[], terms: DurableReserve): Promise<readonly Reservation[] | null> {
    try {
      return await this.#vsa.reserveAll(
        needs.map(({ budget, units }) => [budget, units]),
        terms,
      )
    } catch (error) {
      if (!(error instanceof VsaError && error.code === 'id_conflict')) throw error
      throw new RequestError('id_conflict', 'the id is that of a request with other budgets or another cost', 422)
    }
  }

  /** A refused reservation says no reason: it is read from looks at 0 units, which never ask the store. */
  async refusal(wanted: readonly UnitsOf[], nowMs: number): Promise<Refusal> {
    const looks = await Promise.all(wanted.map(({ budget }) => budget.decide(0)))
    const refusals = wanted.flatMap((one, at) => {
      const look = looks[at]
      return look === undefined ? [] : [refusalOf(one, look, nowMs)]
    })
    const [first] = refusals
    const refusal =
      refusals.find(({ lacks }) => lacks === 'surely') ?? refusals.find(({ lacks }) => lacks === 'perhaps') ?? first
    if (refusal === undefined) throw new RangeError('a request needs at least one budget')
    return refusal
  }
}

/** Which budget refused a reservation, as far as looks tell. */
export interface Refusal {
  readonly by: UnitsOf
  readonly lacks: 'surely' | 'perhaps' | 'not'
  readonly denied: DeniedFigures
  /** Null: they are not known. */
  readonly figures: PolicyFigures | null
}

function refusalOf(by: UnitsOf, look: Decision, nowMs: number): Refusal {
  const { units } = by
  const { limit, resetAtMs } = look
  const figures = figuresAfter(look, by, nowMs)
  const resets = resetAtMs === undefined ? {} : { retryAfterMs: Math.max(1, resetAtMs - nowMs) }
  if (look.remaining === undefined) return { by, lacks: 'not', denied: { units, reason: 'unavailable' }, figures }
  // A limit by period is known as it was declared. One of `initial` grows with mints.
  const isKnown = figures !== null || resetAtMs !== undefined
  if (units > limit && isKnown) return { by, lacks: 'surely', denied: { units, reason: 'over-limit' }, figures }
  if (figures === null) return { by, lacks: 'perhaps', denied: { units, reason: 'exhausted', ...resets }, figures }
  if (units > look.remaining) return { by, lacks: 'surely', denied: { units, reason: 'exhausted', ...resets }, figures }
  return { by, lacks: 'not', denied: { units, reason: 'reserved', retryAfterMs: RESERVED_RETRY_MS }, figures }
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
