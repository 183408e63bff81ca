import { expect, test } from 'vitest'
import type { ChangeOutcome, ReservationChange, ReservationLot } from 'vsa'
import { KEPT_MS, LotReplay } from '../src/simulation/lot-replay.ts'

/** Open until 1,000, with 5 units of one budget and 3 of another. */
function lot(parts: Partial<ReservationLot> = {}, charged: readonly number[] = [5, 3]): ReservationLot {
  const sources = charged.map((units, at) => ({
    key: 'ab'[at] ?? '',
    period: 0,
    charged: units,
    refunded: null,
    resets: 0,
  }))
  return { units: 8, uncovered: 0, state: 'open', expiresAt: 1_000, keepUntil: null, sources, ...parts }
}

interface Case {
  readonly before?: ReservationLot
  readonly onExpire?: 'return' | 'capture'
  readonly change?: ReservationChange
  readonly outcome?: ChangeOutcome
  readonly time?: number
  readonly after: ReservationLot
}

function replay({ before = lot(), onExpire = 'return', change, outcome, time = 500, after }: Case): string {
  try {
    const replayed = new LotReplay('r', before, onExpire)
    replayed.expire(time)
    if (change !== undefined) replayed.apply(change, outcome, time)
    replayed.assertIs(after, time)
    return 'right'
  } catch (error) {
    return String(error).slice('Violation: '.length).split(':')[0] ?? ''
  }
}

const named = { key: 'a', id: 'r' } as const
const settle = (units: number): ReservationChange => ({ op: 'settle', ...named, units })
const settled = (units: number, uncovered = 0, repeated = false): ChangeOutcome => ({
  kind: 'settled',
  settled: units,
  ...{ uncovered, repeated },
})
const final = (charged: readonly number[], uncovered = 0, time = 500): ReservationLot =>
  lot({ state: 'final', uncovered, keepUntil: time + KEPT_MS }, charged)

test('R4, V3: a settlement below gives back to the last source first', () => {
  const below = { change: settle(4), outcome: settled(4) }
  expect(replay({ ...below, after: final([4, 0]) })).toBe('right')
  expect(replay({ ...below, after: final([1, 3]) })).toBe('V3')
  expect(replay({ ...below, after: final([5, 3]) })).toBe('R4')
  expect(replay({ ...below, outcome: settled(4, 0, true), after: final([4, 0]) })).toBe('R4')
})

test('R4: a settlement above is charged as far as units are there, and the rest is uncovered', () => {
  const above = { change: settle(12), outcome: settled(10, 2) }
  expect(replay({ ...above, after: final([6, 4], 2) })).toBe('right')
  expect(replay({ ...above, after: final([6, 4], 0) })).toBe('R4')
  expect(replay({ ...above, outcome: settled(10, 3), after: final([6, 4], 3) })).toBe('R4')
})

test('R4: what is settled has one outcome for ever', () => {
  const before = final([4, 0], 0, 100)
  const again = { before, change: settle(9), after: before }
  expect(replay({ ...again, outcome: settled(4, 0, true) })).toBe('right')
  expect(replay({ ...again, outcome: settled(9, 0, true) })).toBe('R4')
  expect(replay({ ...again, outcome: settled(4, 0, false) })).toBe('R4')
})

test('R3, R6: the end returns or keeps the units, once, and is remembered for seven days', () => {
  const ended = lot({ state: 'expired', keepUntil: 1_000 + KEPT_MS }, [0, 0])
  const kept = lot({ state: 'expired', keepUntil: 1_000 + KEPT_MS })
  expect(replay({ time: 1_000, after: ended })).toBe('right')
  expect(replay({ time: 1_000, onExpire: 'capture', after: kept })).toBe('right')
  expect(replay({ time: 1_000, onExpire: 'capture', after: ended })).toBe('R3')
  expect(replay({ time: 1_000, after: lot() })).toBe('R3')
  expect(replay({ time: 999, after: ended })).toBe('R3')
  expect(replay({ time: 1_000, after: { ...ended, keepUntil: 999 + KEPT_MS } })).toBe('R6')
})

test('R5: an extension is to a total, all or nothing, and only while it is open', () => {
  const change: ReservationChange = { op: 'extend', ...named, units: 10, ttlMs: 700 }
  const extended: ChangeOutcome = { kind: 'extended', units: 10, expiresAt: 1_200 }
  const after = lot({ units: 10, expiresAt: 1_200 }, [6, 4])
  expect(replay({ change, outcome: extended, after })).toBe('right')
  expect(replay({ change, outcome: { kind: 'refused' }, after: lot() })).toBe('right')
  expect(replay({ change, outcome: extended, after: lot({ units: 10, expiresAt: 1_200 }) })).toBe('R5')
  expect(replay({ before: final([4, 0]), change, outcome: extended, after })).toBe('R5')
})

test('I2: a refund by an id counts once, of what is final, up to what was charged', () => {
  const change: ReservationChange = { op: 'refund', ...named, units: 6 }
  const told = (units: number, repeated = false): ChangeOutcome => ({ kind: 'refunded', units, repeated })
  const before = final([4, 1], 0, 100)
  const [first, second] = before.sources
  if (first === undefined || second === undefined) throw new Error('two sources')
  const sources = [
    { ...first, refunded: 4 },
    { ...second, refunded: 1 },
  ]
  const after = { ...before, sources, keepUntil: 500 + KEPT_MS }
  expect(replay({ before, change, outcome: told(5), after })).toBe('right')
  expect(replay({ before: after, change, outcome: told(5, true), after })).toBe('right')
  expect(replay({ before: after, change, outcome: told(5), after })).toBe('I2')
  expect(replay({ before, change, outcome: told(6), after })).toBe('I2')
  expect(replay({ before, change, outcome: told(5), after: before })).toBe('I2')
  expect(replay({ change, outcome: told(5), after: lot() })).toBe('I2')
})
