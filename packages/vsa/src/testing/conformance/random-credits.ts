import type { Take } from '../../core/exchange.ts'
import type { Remember, ReservationChange } from '../../core/reservations/messages.ts'
import { oneOf, wholeBetween, type Random } from '../random.ts'

/** The keys of the rows, by the index of a command. The last two are counters; 2 and 3 are periods of one budget. */
export const KEYS = ['a', 'b', 'w', 'w', 'short', 'count', '🦀 count'] as const
export const COUNTERS_FROM = 5

/** One request that is remembered, in terms of rows: most takes with its id repeat it. */
interface Shape {
  readonly rows: readonly number[]
  readonly units: readonly number[]
  readonly first: boolean
  readonly as: Remember['as']
}

const SHAPES: readonly [Shape, ...Shape[]] = [
  { rows: [0], units: [3], first: false, as: 'reservation' },
  { rows: [0], units: [2], first: false, as: 'admission' },
  { rows: [1, 2], units: [2, 4], first: false, as: 'reservation' },
  { rows: [4, 0], units: [1, 5], first: false, as: 'admission' },
  { rows: [2, 0, 5], units: [7, 7, 7], first: true, as: 'reservation' },
  { rows: [1, 0], units: [6, 6], first: true, as: 'admission' },
  { rows: [3, 6], units: [8, 8], first: true, as: 'reservation' },
]

/** A request that is drawn before the rows of its batch. */
export interface DrawnRequest extends Shape {
  readonly remember: Remember
}

/** @param isTimeInjected else none of them ends while the sequence runs */
export function drawRequest(random: Random, isTimeInjected: boolean): DrawnRequest {
  const at = wholeBetween(random, 0, SHAPES.length - 1)
  const shape = random() < 0.85 ? (SHAPES[at] ?? SHAPES[0]) : oneOf(random, SHAPES)
  const onExpire = oneOf<Remember['onExpire']>(random, ['return', 'capture'])
  const remember = { id: idOf(at), as: shape.as, ttlMs: drawTtlMs(random, isTimeInjected), onExpire }
  return { ...shape, units: random() < 0.08 ? shape.units.map((units) => units + 1) : shape.units, remember }
}

/** The request as a take. @param rows of the batch, in order; they have those of the request */
export function takeOfRequest({ rows: wanted, units, first, remember }: DrawnRequest, rows: readonly number[]): Take {
  const need = wanted.map((row, at) => [rows.indexOf(row), units[at] ?? 1] as const)
  return first ? { need, n: 1, first, remember } : { need, n: 1, remember }
}

/** A waterfall over two or three of the rows, a counter last; undefined where they are too few. */
export function drawWaterfall(random: Random, rows: readonly number[]): Take | undefined {
  const budgets = rows.filter((row) => row < COUNTERS_FROM && random() < 0.7)
  const counter = rows.find((row) => row >= COUNTERS_FROM && random() < 0.4)
  const sources = [...(random() < 0.5 ? budgets : budgets.toReversed()), ...(counter === undefined ? [] : [counter])]
  if (budgets.length === 0 || sources.length < 2) return undefined
  const units = wholeBetween(random, 1, 9)
  return {
    need: sources.map((row) => [rows.indexOf(row), units] as const),
    n: oneOf(random, [1, 1, 2, 5]),
    first: true,
  }
}

export function drawChanges(random: Random, isTimeInjected: boolean): readonly ReservationChange[] {
  if (random() < 0.65) return []
  return Array.from({ length: wholeBetween(random, 1, 2) }, () => drawChange(random, isTimeInjected))
}

function drawChange(random: Random, isTimeInjected: boolean): ReservationChange {
  const at = wholeBetween(random, 0, SHAPES.length - 1)
  const { rows } = SHAPES[at] ?? SHAPES[0]
  const row = random() < 0.9 ? (rows[wholeBetween(random, 0, rows.length - 1)] ?? 0) : wholeBetween(random, 0, 6)
  const name = { key: KEYS[row] ?? 'a', id: idOf(at), units: wholeBetween(random, 0, 9) }
  const op = oneOf<ReservationChange['op']>(random, ['settle', 'extend', 'refund'])
  return op === 'extend' ? { op, ...name, ttlMs: drawTtlMs(random, isTimeInjected) } : { op, ...name }
}

function drawTtlMs(random: Random, isTimeInjected: boolean): number {
  return isTimeInjected ? oneOf(random, [700, 3_000, 20_000, 900_000_000]) : 3_600_000
}

function idOf(at: number): string {
  return `r${at}`
}
