import { expect, it } from 'vitest'
import type { AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { Remember } from '../../src/core/reservations/messages.ts'
import { setAside, sourcesOf, sweepAtOf } from '../../src/core/reservations/names.ts'
import type { ReservationLot, ReservationRow } from '../../src/core/rows.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { applied, batch, count, entry } from '../stores/sqlite-fixture.ts'

const START = 1_750_000_000_000
const TTL_MS = 60_000
const remember: Remember = { id: 'order 1', as: 'reservation', ttlMs: TTL_MS, onExpire: 'return' }

it('R1, V1: a waterfall is remembered under a budget whose row was not made, and the overage that it took ends with it', async () => {
  let now = START
  const store = memory({ now: () => now, upkeepEveryMs: 0 })
  const joined = await store.join('test')
  const closed = entry({ policy: { kind: 'window', limit: 5, burnMax: 5, version: 1, endsAt: 1, keepUntil: null } })
  const takes = [{ need: [[0, 2] as const, [1, 2] as const], n: 1, first: true as const, remember }]
  const asking: Partial<Batch> = { entries: [closed, count('over', 0)], takes }
  const ask = async (seq: number, content: Partial<Batch>): Promise<AppliedAnswer> =>
    applied(await store.exchange(batch(joined, seq, content)))
  expect(await ask(1, asking)).toMatchObject({ granted: [1], entries: [{ kind: 'period_closed' }, { value: 2 }] })
  const again = await ask(2, asking)
  expect(again).toMatchObject({ granted: [0], entries: [{ kind: 'period_closed' }, { value: 2 }] })
  expect(again.credits?.takes).toMatchObject({ 0: { kind: 'remembered', charged: [0, 2], repeated: true } })
  now += TTL_MS
  expect(await ask(3, { entries: [count('over', 0)] })).toMatchObject({ entries: [{ value: 0 }] })
})

const source = { key: 'a', period: 0, charged: 4, refunded: null, resets: 0 }

function lot(parts: Partial<ReservationLot> = {}): ReservationLot {
  return { units: 4, uncovered: 0, state: 'open', expiresAt: 50, keepUntil: null, sources: [source], ...parts }
}

const open = lot()
const later = lot({ expiresAt: 70 })
const expired = lot({ state: 'expired', expiresAt: 20, keepUntil: 90 })
const final = lot({ state: 'final', expiresAt: 20, keepUntil: 80 })

it.each([
  ['at the earliest end of its open parts', [expired, later, open], 50],
  ['when all of its parts may be forgotten, with none open', [final, expired, final], 90],
])('R3, R6: a reservation is swept %s', (_, lots, at) => {
  expect(sweepAtOf({ lots })).toBe(at)
})

it('R2: set aside are the units of budgets whose part is open or expired: not of a counter, and not what was given back or settled', () => {
  const counter = { ...source, key: 'over', period: null }
  const returned = { ...source, key: 'returned', charged: 0 }
  const ofBoth = lot({ sources: [source, returned, counter] })
  const [b, c] = [
    { ...source, key: 'b' },
    { ...source, key: 'c' },
  ]
  const lots = [ofBoth, lot({ state: 'expired', sources: [b] }), lot({ state: 'final', sources: [c] })]
  expect(setAside({ lots })).toEqual([source, b])
})

it('R1: the rows of a reservation that the entries of its batch name are not loaded twice', () => {
  // Any text is a key.
  const over = 'undefined'
  const sources = ['a', 'b', over].map((key) => ({ ...source, key, period: key === over ? null : 0 }))
  const row: ReservationRow = {
    ...{ key: 'a', id: 'r', as: 'reservation', request: '', onExpire: 'return' },
    lots: [lot({ sources }), lot({ sources: [source] })],
  }
  const rows = sources.map(({ key, period }) => ({ key, period }))
  const named = (...entries: Batch['entries']): Batch =>
    batch({ epoch: 1, token: 't', incarnation: 'i' }, 1, { entries })
  expect(sourcesOf([row])).toEqual(rows)
  expect(sourcesOf([row], named(entry({ key: 'a', period: 9 }), { kind: 'void' }))).toEqual(rows)
  expect(sourcesOf([row], named(entry({ key: 'a', period: 0 }), count(over, 1)))).toEqual([rows[1]])
})
