import type { Decision, Reservation, Vsa } from '../index.ts'
import type { HttpClock } from './http-clock.ts'
import type { LimitOptions, ReserveTerms } from './limit-options.ts'
import { ReservedUnits } from './reserved-units.ts'
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
    const { ttlMs = TTL_MS, id, onExpire = 'capture' } = this.#terms
    const needs = wanted.map(({ budget, units }) => [budget, units] as const)
    const reservations = await (id === undefined
      ? this.#vsa.reserveAll(needs)
      : this.#vsa.reserveAll(needs, { id: id(request), ttlMs, onExpire }))
    if (reservations === null) return null
    const refundWhen = this.#refundWhen
    return new ReservedUnits(named(wanted, reservations), {
      isRefunded: refundWhen === undefined ? null : (ended) => refundWhen(ended, request),
      clock: this.#clock,
      ttlMs: id === undefined ? ttlMs : null,
    })
  }

  /** A refused reservation says no reason: it is read from looks at 0 units, which never ask the store. */
  async denied(wanted: readonly UnitsOf[], nowMs: number): Promise<Decision> {
    const looks = await Promise.all(wanted.map(({ budget }) => budget.decide(0)))
    const refusals = wanted.flatMap(({ units }, at) => {
      const look = looks[at]
      return look?.remaining === undefined ? [] : [refusal({ ...look, units }, nowMs)]
    })
    const [first] = refusals
    const lacking = refusals.find(({ reason }) => reason !== 'reserved') ?? first
    if (lacking !== undefined) return lacking
    const key = wanted[0]?.budget.key ?? ''
    return { admitted: false, reason: 'unavailable', key, units: 0, limit: 0 }
  }
}

type Look = Extract<Decision, { readonly remaining: number }>

function refusal(
  { key, units, limit, remaining, period, resetAtMs }: Look,
  nowMs: number,
): Extract<Decision, { readonly admitted: false }> {
  const shown = {
    admitted: false,
    key,
    units,
    limit,
    remaining,
    period,
    ...(resetAtMs !== undefined && { resetAtMs }),
  } as const
  if (units > limit) return { ...shown, reason: 'over-limit' }
  if (units <= remaining) return { ...shown, reason: 'reserved', retryAfterMs: RESERVED_RETRY_MS }
  return {
    ...shown,
    reason: 'exhausted',
    ...(resetAtMs !== undefined && { retryAfterMs: Math.max(1, resetAtMs - nowMs) }),
  }
}

function named(
  wanted: readonly UnitsOf[],
  reservations: readonly Reservation[],
): readonly { readonly name: string; readonly reservation: Reservation }[] {
  return reservations.map((reservation, at) => ({ name: wanted[at]?.name ?? '', reservation }))
}
