import type { BudgetEntry, CounterEntry, RowPolicy, Take } from '../../core/exchange.ts'
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
