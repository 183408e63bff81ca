import { InvariantError } from '../errors.ts'
import type { ReservationLot, ReservationRow, ReservationSource } from '../rows.ts'
import { isUnits } from '../units.ts'

/** The lots of a reservation as stores keep them: JSON, which holds every key. */
export function encodeLots(lots: readonly ReservationLot[]): string {
  return JSON.stringify(lots)
}

/** @throws InvariantError that says what is wrong: no store writes it */
export function decodeLots(text: string): ReservationRow['lots'] {
  const lots = listOf(parsed(text), 'lots').map(lotOf)
  if (lots.every(({ sources }) => sources.every(({ period }) => period === null)))
    throw new InvariantError('a reservation has no budget')
  return lots
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvariantError('the lots of a reservation are no JSON')
  }
}

function lotOf(value: unknown): ReservationLot {
  const lot = objectOf(value, 'lot')
  return {
    units: unitsOf(lot, 'units'),
    uncovered: unitsOf(lot, 'uncovered'),
    state: stateOf(lot['state']),
    expiresAt: unitsOf(lot, 'expiresAt'),
    keepUntil: lot['keepUntil'] === null ? null : unitsOf(lot, 'keepUntil'),
    sources: listOf(lot['sources'], 'sources').map(sourceOf),
  }
}

function sourceOf(value: unknown): ReservationSource {
  const source = objectOf(value, 'source')
  const { key, period } = source
  if (typeof key !== 'string') throw wrong('key', key)
  if (period !== null && !Number.isSafeInteger(period)) throw wrong('period', period)
  return {
    key,
    // A safe integer is a number: TypeScript does not narrow by `Number.isSafeInteger`.
    period: period as number | null,
    charged: unitsOf(source, 'charged'),
    refunded: source['refunded'] === null ? null : unitsOf(source, 'refunded'),
    resets: unitsOf(source, 'resets'),
  }
}

function stateOf(value: unknown): ReservationLot['state'] {
  if (value === 'open' || value === 'expired' || value === 'final') return value
  throw wrong('state', value)
}

function unitsOf(from: Readonly<Record<string, unknown>>, name: string): number {
  const value = from[name]
  if (!isUnits(value)) throw wrong(name, value)
  return value
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong(name, value)
  return value
}

function objectOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw wrong(name, value)
  // Every property is checked where it is read.
  return value as Readonly<Record<string, unknown>>
}

function wrong(name: string, value: unknown): InvariantError {
  return new InvariantError(`the ${name} of a reservation cannot be ${JSON.stringify(value) ?? 'absent'}`)
}
