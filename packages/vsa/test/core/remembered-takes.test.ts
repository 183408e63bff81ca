import { expect, test } from 'vitest'
import { InvariantError } from '../../src/core/errors.ts'
import type { AppliedAnswer, Batch, Entry, Take } from '../../src/core/exchange.ts'
import { ONE_LIFE } from '../../src/core/life.ts'
import type { Remember } from '../../src/core/reservations/messages.ts'
import type { ReservationLot } from '../../src/core/rows.ts'
import { SourceDrafts } from '../../src/core/reservations/sources.ts'
import { decodeLots, encodeLots } from '../../src/core/reservations/stored-lots.ts'
import { transition } from '../../src/core/transition.ts'
import { loadExchange } from '../../src/stores/memory/load.ts'
import { asking, Books, seats } from './books-fixture.ts'

const REMEMBER = { id: 'r', as: 'reservation', ttlMs: 1_000, onExpire: 'return' } as const
const AN_ADMISSION = { ...REMEMBER, as: 'admission' } as const
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

test('S6: a source that cannot be read is named, a budget by its period and a counter by its key', () => {
  const books = new Books()
  const epoch = books.join()
  const need = [[0, 12] as const, [1, 12] as const]
  books.send(books.batch(epoch, { entries: [A, COUNTER], takes: [{ need, n: 1, first: true, remember: REMEMBER }] }))
  const batch = books.batch(epoch, { changes: [{ op: 'settle', key: 'a', id: 'r', units: 1 }] })
  const detailOf = (key: string): unknown => {
    const rows = loadExchange(books.rows, batch, books.now)
    const damaged = { kind: 'damaged', detail: 'no number' } as const
    const sources = rows.sources?.map((source) => (source.key === key ? { ...source, rows: damaged } : source)) ?? []
    const { answer, writes } = transition({ ...rows, sources }, batch, books.now, ONE_LIFE)
    expect([writes?.reservations, writes?.budgets, writes?.counters]).toEqual([[], [], []])
    return answer.kind === 'applied' ? answer.credits?.changes : answer
  }
  const named = 'the books of budget "a", period 0, do not balance: no number'
  expect(detailOf('a')).toEqual([{ kind: 'damaged', detail: named }])
  expect(detailOf('c')).toEqual([{ kind: 'damaged', detail: 'counter "c": no number' }])
})

test('R1: what is kept of a request is the same text in every version, because a repeat may come from another one', () => {
  const need = [[0, 3] as const, [1, 3] as const]
  const textOf = (parts: Partial<Take>): string | undefined => {
    const books = new Books()
    const takes = [{ need, n: 1, remember: REMEMBER, ...parts }]
    books.send(books.batch(books.join(), { entries: [A, asking('b', { policy: seats(10) }), COUNTER], takes }))
    return books.rows.reservation('a', 'r')?.request
  }
  expect(textOf({})).toBe('["reservation","all",[["b","a",3],["b","b",3]]]')
  expect(textOf({ need: need.map(([at]) => [2 * at, 3] as const), first: true, remember: AN_ADMISSION })).toBe(
    '["admission","first",[["b","a",3],["c","c",3]]]',
  )
})

test('R1: what is answered of several budgets tells their states apart only where they differ', () => {
  const books = new Books()
  const epoch = books.join()
  const take: Take = { need: [[0, 1] as const, [1, 2] as const], n: 1, remember: REMEMBER }
  const entries = [A, asking('b', { policy: seats(10) })]
  const told = (parts: Partial<Batch>): unknown => {
    const answer = books.send(books.batch(epoch, { entries, takes: [take], ...parts }))
    return answer.kind === 'applied' ? answer.credits?.takes[0] : answer
  }
  const remembered = { kind: 'remembered', charged: [1, 2], units: 3, expiresAt: books.now + 1_000 }
  expect(told({})).toEqual({ ...remembered, state: 'open', repeated: false })
  const settled = told({ changes: [{ op: 'settle', key: 'a', id: 'r', units: 1 }] })
  expect(settled).toEqual({ ...remembered, state: 'open', states: ['final', 'open'], repeated: true })
  books.now += 1_000
  const expired = told({})
  expect(expired).toEqual({
    ...{ ...remembered, charged: [1, 0], state: 'expired', states: ['final', 'expired'] },
    repeated: true,
  })
})

test('I1, R1: a reservation that was settled and all given back is answered as settled: only an admission is refunded', () => {
  const sentFor = (remember: Remember): unknown => {
    const books = new Books()
    const epoch = books.join()
    const takes: readonly Take[] = [{ need: [[0, 4]], n: 1, remember }]
    books.send(books.batch(epoch, { entries: [A], takes }))
    const settle = { op: 'settle', key: 'a', id: 'r', units: 4 } as const
    books.send(books.batch(epoch, { changes: [settle, { ...settle, op: 'refund' }] }))
    const answer = books.send(books.batch(epoch, { entries: [A], takes }))
    return answer.kind === 'applied' ? answer.credits?.takes[0] : answer
  }
  expect(sentFor(REMEMBER)).toMatchObject({ kind: 'remembered', state: 'final', charged: [4], repeated: true })
  expect(sentFor(AN_ADMISSION)).toEqual({ kind: 'refunded' })
})

test.each<[string, Take, string]>([
  ['two requests under one id', { need: [[0, 1]], n: 2, remember: REMEMBER }, 'is one request, got 2'],
  [
    'sources that are asked for different units',
    { need: [[0, 1] as const, [1, 2] as const], n: 1, first: true },
    'got 1 and 2',
  ],
  [
    'a counter before a budget',
    { need: [[1, 1] as const, [0, 1] as const], n: 1, first: true },
    'a counter is the last source',
  ],
  ['a counter alone', { need: [[1, 1]], n: 1, first: true }, 'a counter is the last source'],
])('V1, R1: a take of %s is a bug, and is refused by name', (_, take, message) => {
  expect(() => sent([A, COUNTER], [take])).toThrow(message)
})

test('R5: an extension of the time alone is kept', () => {
  const books = new Books()
  const epoch = books.join()
  books.send(books.batch(epoch, { entries: [A], takes: [{ need: [[0, 4]], n: 1, remember: REMEMBER }] }))
  const extend = { op: 'extend', key: 'a', id: 'r', units: 4, ttlMs: 5_000 } as const
  books.send(books.batch(epoch, { changes: [extend] }))
  books.now += 2_000
  const answer = books.send(books.batch(epoch, { changes: [{ ...extend, ttlMs: 0 }] }))
  expect(answer).toMatchObject({ credits: { changes: [{ kind: 'extended', units: 4, expiresAt: books.now + 3_000 }] } })
})

test('S6: a row that cannot be read is named with its period', () => {
  const rows = { kind: 'damaged', detail: 'no number' } as const
  const drafts = new SourceDrafts([], [{ key: 'a', period: 7, rows }])
  expect(() => drafts.find({ key: 'a', period: 7 })).toThrow(
    'the books of budget "a", period 7, do not balance: no number',
  )
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

test.each(['open', 'expired', 'final'] as const)('R1: a lot that is %s is read', (state) => {
  expect(decodeLots(encodeLots([{ ...LOT, state }]))).toEqual([{ ...LOT, state }])
})

test.each([
  ['no JSON', '[{', 'the lots of a reservation are no JSON'],
  ['no lot', '[]', 'the lots of a reservation cannot be []'],
  ['no list', '{}', 'the lots of a reservation cannot be {}'],
  ['a lot that is no object', '[3]', 'the lot of a reservation cannot be 3'],
  ['no source', encodeLots([{ ...LOT, sources: [] }]), 'the sources of a reservation cannot be []'],
  ['no budget', encodeLots([{ ...LOT, sources: LOT.sources.slice(1) }]), 'a reservation has no budget'],
  ['an unknown state', encoded('final', 'finished'), 'the state of a reservation cannot be "finished"'],
  ['half a unit', encodeLots([{ ...LOT, units: 0.5 }]), 'the units of a reservation cannot be 0.5'],
  ['less than no units', encoded('"charged":4', '"charged":-4'), 'the charged of a reservation cannot be -4'],
  ['a period that is no number', encoded(':-3', ':"3"'), 'the period of a reservation cannot be "3"'],
  ['a key that is no text', encoded('"key":"c"', '"key":1'), 'the key of a reservation cannot be 1'],
  ['a missing field', encoded('"resets":0', '"other":0'), 'the resets of a reservation cannot be absent'],
])('S6: lots with %s are not read, and the error says so', (_, text, message) => {
  expect(() => decodeLots(text)).toThrow(new InvariantError(message))
})

function encoded(from: string, to: string): string {
  return encodeLots([LOT]).replace(from, to)
}
