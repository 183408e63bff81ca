import type { BudgetEntry, CounterEntry, RowPolicy, Take } from '../../core/exchange.ts'
import type { Remember, ReservationChange } from '../../core/reservations/messages.ts'
import { UNITS_MAX } from '../../core/units.ts'

/** An entry that changes nothing, except by `parts`. */
export function entryOf(key: string, parts: Partial<Omit<BudgetEntry, 'kind' | 'key'>> = {}): BudgetEntry {
  return { kind: 'budget', key, period: 0, known: false, spent: 0, refund: 0, hold: 0, wantMs: 0, ...parts }
}

export function addTo(key: string, add: number): CounterEntry {
  return { kind: 'counter', key, add }
}

/** `limit` units once. By default `burnMax` is never reached. */
export function initialOf(limit: number, parts: Partial<RowPolicy> = {}): RowPolicy {
  return { kind: 'initial', limit, burnMax: UNITS_MAX, version: 1, endsAt: null, keepUntil: null, ...parts }
}

/** `limit` units until `endsAt`. By default kept for a day after that, and `burnMax` is never reached. */
export function windowOf(limit: number, endsAt: number, parts: Partial<RowPolicy> = {}): RowPolicy {
  return { kind: 'window', limit, burnMax: UNITS_MAX, version: 1, endsAt, keepUntil: endsAt + 86_400_000, ...parts }
}

/** `n` equal requests for `cost` units each of the entry at index `entry`. */
export function takeOf(entry: number, cost: number, n = 1): Take {
  return { need: [[entry, cost]], n }
}

/** One request that is remembered, for `costs` units of the first entries. By default a reservation for an hour, whose units then return. */
export function reservationOf(id: string, costs: readonly number[], parts: Partial<Remember> = {}): Take {
  return { need: needOf(costs), n: 1, remember: { ...RESERVED, id, ...parts } }
}

/** One request that is admitted under an id, for `costs` units of the first entries. */
export function admissionOf(id: string, costs: readonly number[]): Take {
  return reservationOf(id, costs, { as: 'admission' })
}

/** `n` requests for `units` of the first `sources` entries together, in order. */
export function waterfallOf(sources: number, units: number, n = 1): Take {
  return { need: needOf(Array.from({ length: sources }, () => units)), n, first: true }
}

/** One that is remembered: see `reservationOf`. */
export function rememberedWaterfallOf(id: string, sources: number, units: number, parts: Partial<Remember> = {}): Take {
  return { ...waterfallOf(sources, units), remember: { ...RESERVED, id, ...parts } }
}

const RESERVED = { as: 'reservation', ttlMs: 3_600_000, onExpire: 'return' } as const

function needOf(costs: readonly number[]): Take['need'] {
  return costs.map((cost, entry) => [entry, cost] as const)
}

export function settleOf(key: string, id: string, units: number): ReservationChange {
  return { op: 'settle', key, id, units }
}

/** By default for another hour from now. */
export function extendOf(key: string, id: string, units: number, ttlMs = 3_600_000): ReservationChange {
  return { op: 'extend', key, id, units, ttlMs }
}

export function refundOf(key: string, id: string, units: number): ReservationChange {
  return { op: 'refund', key, id, units }
}
