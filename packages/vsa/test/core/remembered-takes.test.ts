import { expect, test } from 'vitest'
import { InvariantError } from '../../src/core/errors.ts'
import type { AppliedAnswer, Batch, Entry, Take } from '../../src/core/exchange.ts'
import { ONE_LIFE } from '../../src/core/life.ts'
import type { ReservationLot } from '../../src/core/rows.ts'
import { decodeLots, encodeLots } from '../../src/core/reservations/stored-lots.ts'
import { transition } from '../../src/core/transition.ts'
import { loadExchange } from '../../src/stores/memory/load.ts'
import { asking, Books, seats } from './books-fixture.ts'

const REMEMBER = { id: 'r', as: 'reservation', ttlMs: 1_000, onExpire: 'return' } as const
const COUNTER: Entry = { kind: 'counter', key: 'c', add: 0 }
const A = asking('a', { policy: seats(10) })

function sent(entries: readonly Entry[], takes: readonly Take[]): AppliedAnswer {
  const books = new Books()
  const answer = books.send(books.batch(books.join(), { entries, takes }))
  if (answer.kind !== 'applied') throw new Error(`not applied: ${JSON.stringify(answer)}`)
  return answer
}

test('R1: a take that is remembered names each key once, and at least one budget: anything else is a bug', () => {
  const later = asking('a', { period: 900_000, policy: { ...seats(5), kind: 'window', endsAt: 1_100_000 } })
  const both: Take = { need: [[0, 1] as const, [1, 1] as const], n: 1, remember: REMEMBER }
  expect(() => sent([A, later], [both])).toThrow(InvariantError)
  expect(() => sent([COUNTER], [{ need: [[0, 1]], n: 1, remember: REMEMBER }])).toThrow(InvariantError)
})

test('R1, L6: a counter is no budget: a remembered take of all its needs is refused', () => {
  const take: Take = { need: [[0, 1] as const, [1, 1] as const], n: 1, remember: REMEMBER }
  const answer = sent([A, COUNTER], [take])
  expect([answer.granted, answer.credits, answer.entries]).toMatchObject([[0], undefined, [{ pool: 10 }, { value: 0 }]])
})

test('R1, S6: a remembered take of a void entry is refused, because its key is not known', () => {
  const take: Take = { need: [[0, 1] as const, [1, 1] as const], n: 1, first: true, remember: REMEMBER }
  const answer = sent([A, { kind: 'void' }], [take])
  expect([answer.granted, answer.credits, answer.entries]).toMatchObject([[0], undefined, [{ pool: 10 }, {}]])
})

test('V1, L3: a counter that is almost full gives what it can still count, and a waterfall that lacks the rest takes nothing', () => {
  const most = Number.MAX_SAFE_INTEGER
  const full: Entry = { kind: 'counter', key: 'c', add: most - 5 }
  const need = [[0, 8] as const, [1, 8] as const]
  const take = (units: number, n: number): Take => ({ need: need.map(([at]) => [at, units] as const), n, first: true })
  const answer = sent([A, full], [take(8, 3), take(6, 1), take(1, 1)])
  // Ten and five units: one request of eight, then one of six, then one unit.
  expect([answer.granted, answer.credits?.takes, answer.entries]).toMatchObject([
    [1, 1, 1],
    { 0: { charged: [8, 0] }, 1: { charged: [2, 4] }, 2: { charged: [0, 1] } },
    [{ used: 10, pool: 0 }, { value: most }],
  ])
})

test('S6: what names a reservation that cannot be read is answered damaged; the others of the batch go on', () => {
  const books = new Books()
  const epoch = books.join()
  const takes = (id: string): Take => ({ need: [[0, 1]], n: 1, remember: { ...REMEMBER, id } })
  const batch: Batch = books.batch(epoch, {
    entries: [A],
    takes: [takes('bad'), takes('good')],
    changes: [
      { op: 'settle', key: 'a', id: 'bad', units: 1 },
      { op: 'settle', key: 'a', id: 'none', units: 1 },
    ],
  })
  const rows = loadExchange(books.rows, batch, books.now)
  const damagedReservations = [{ key: 'a', id: 'bad', detail: 'no JSON' }]
  const { answer } = transition({ ...rows, damagedReservations }, batch, books.now, ONE_LIFE)
  const damaged = { kind: 'damaged', detail: 'the reservation "bad" of "a" cannot be read: no JSON' }
  expect(answer).toMatchObject({
    kind: 'applied',
    granted: [0, 1],
    credits: { takes: { 0: damaged, 1: { kind: 'remembered' } }, changes: [damaged, { kind: 'unknown' }] },
  })
})

const LOT: ReservationLot = {
  ...{ units: 9, uncovered: 2, state: 'final', expiresAt: 5, keepUntil: null },
  sources: [
    { key: '\0🦀\uD800"', period: -3, charged: 4, refunded: null, resets: 0 },
    { key: 'c', period: null, charged: Number.MAX_SAFE_INTEGER, refunded: 0, resets: 7 },
  ],
}

test('R1: the lots of a reservation are kept exactly, with every key', () => {
  expect(decodeLots(encodeLots([LOT, { ...LOT, keepUntil: 8 }]))).toEqual([LOT, { ...LOT, keepUntil: 8 }])
})

test.each([
  ['no JSON', '[{'],
  ['no lot', '[]'],
  ['no list', '{}'],
  ['a lot that is no object', '[3]'],
  ['no source', encodeLots([{ ...LOT, sources: [] }])],
  ['no budget', encodeLots([{ ...LOT, sources: LOT.sources.slice(1) }])],
  ['an unknown state', encodeLots([LOT]).replace('final', 'finished')],
  ['half a unit', encodeLots([{ ...LOT, units: 0.5 }])],
  ['less than no units', encodeLots([LOT]).replace('"charged":4', '"charged":-4')],
  ['a period that is no number', encodeLots([LOT]).replace('"period":-3', '"period":"3"')],
  ['a key that is no text', encodeLots([LOT]).replace('"key":"c"', '"key":1')],
  ['a missing field', encodeLots([LOT]).replace('"resets":0', '"other":0')],
])('S6: lots with %s are not read', (_, text) => {
  expect(() => decodeLots(text)).toThrow(InvariantError)
})
