import { expect, test, vi } from 'vitest'
import type { Batch } from '../../src/core/exchange.ts'
import type { ReservationLot, ReservationRow } from '../../src/core/rows.ts'
import { ReservationBooks } from '../../src/core/reservations/books.ts'
import { CHANGED_SOURCES_MAX, isBoundReached, LOADED_SOURCES_MAX } from '../../src/core/reservations/load-bound.ts'
import { SourceDrafts } from '../../src/core/reservations/sources.ts'
import { encodeLots } from '../../src/core/reservations/stored-lots.ts'
import { loadSweep } from '../../src/stores/memory/load.ts'
import { readReservations } from '../../src/stores/postgres/reservation-rows.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { asking, Books, seats } from './books-fixture.ts'
import { applied, batch, closing, entry, newPath } from '../stores/sqlite-fixture.ts'

const LOTS = 300
const KEYS = Array.from({ length: LOTS }, (_, at) => `k${at}`)

function reserved(id: string, keys: readonly string[], expiresAt = 9_000): ReservationRow {
  const lots: readonly ReservationLot[] = keys.map((key) => ({
    ...{ units: 1, uncovered: 0, state: 'open', expiresAt, keepUntil: null },
    sources: [{ key, period: 0, charged: 1, refunded: null, resets: 0 }],
  }))
  return { key: keys[0] ?? '', id, as: 'reservation', request: '', onExpire: 'capture', lots }
}

/** The row, and how many of its lots were looked at. */
function counted(row: ReservationRow): { readonly row: ReservationRow; readonly looked: () => number } {
  let looked = 0
  const lots = new Proxy(row.lots, {
    get: (target, name, receiver) => {
      if (typeof name === 'string' && /^\d+$/.test(name)) looked += 1
      return Reflect.get(target, name, receiver) as unknown
    },
  })
  return { row: { ...row, lots }, looked: () => looked }
}

test.each([
  ['open', 9_000],
  ['expired', 10],
])(
  'R1: each of 300 keys of a reservation that is %s finds it, and its lots are looked at a few times each',
  (_, at) => {
    const { row, looked } = counted(reserved('r', KEYS, at))
    const books = new ReservationBooks([row], new SourceDrafts([], []), 1_000, { isFrozen: false })
    for (const key of KEYS) expect(books.find(key, 'r')?.id).toBe('r')
    for (const key of KEYS) expect(books.lot(key, 'r')?.lot.sources[0]?.key).toBe(key)
    expect(books.writes).toHaveLength(at === 10 ? 1 : 0)
    expect(looked()).toBeLessThanOrEqual(5 * LOTS)
  },
)

test('R4: a reservation whose 300 lots are all replaced is copied once, and written once', () => {
  const { row, looked } = counted(reserved('r', KEYS))
  const books = new ReservationBooks([row], new SourceDrafts([], []), 1_000, { isFrozen: false })
  for (const key of KEYS) {
    const opened = books.lot(key, 'r')
    if (opened !== undefined) books.replace(opened, { ...opened.lot, state: 'final' })
  }
  expect(
    books.writes.map(({ change, row: { lots } }) => [change, lots.every(({ state }) => state === 'final')]),
  ).toEqual([['changed', true]])
  expect(row.lots.every(({ state }) => state === 'open')).toBe(true)
  // The last look, at all of them, is this test's own.
  expect(looked()).toBeLessThanOrEqual(6 * LOTS)
})

test('R7: on Postgres a reservation that all its keys name is decoded once', () => {
  const row = reserved('r', KEYS)
  const columns = ['hash', row.key, row.id, row.as, row.request, row.onExpire, encodeLots(row.lots)]
  const parse = vi.spyOn(JSON, 'parse')
  const { rows, damaged } = readReservations(KEYS.map((key) => [{ key, id: 'r' }, [...columns]] as const))
  const decoded = parse.mock.calls.length
  parse.mockRestore()
  expect([rows, damaged, decoded]).toEqual([[row], [], 1])
})

test('R7: on SQLite a reservation that all its keys name is answered and decoded once, in any order of the names', async () => {
  const path = newPath()
  const one = closing(sqlite(path, { thread: false, driver: 'libsql' }))
  const joined = await one.join('one')
  const keys = KEYS.slice(0, 60)
  const entries = keys.map((key) => entry({ key }))
  const remember = { id: 'r', as: 'reservation', ttlMs: 9_000_000, onExpire: 'return' } as const
  const take = { need: keys.map((_, at) => [at, 1] as const), n: 1, remember }
  expect(applied(await one.exchange(batch(joined, 1, { entries, takes: [take] }))).granted).toEqual([1])
  // Another connection has nothing of it in its cache.
  const two = closing(sqlite(path, { thread: false, driver: 'libsql' }))
  const other = await two.join('two')
  const parse = vi.spyOn(JSON, 'parse')
  const changes = keys.toReversed().map((key) => ({ op: 'settle', key, id: 'r', units: 1 }) as const)
  const answer = applied(await two.exchange(batch(other, 1, { changes })))
  const decoded = parse.mock.calls.filter(([text]) => text.startsWith('[{"units"')).length
  parse.mockRestore()
  expect(answer.credits?.changes).toEqual(
    keys.map(() => ({ kind: 'settled', settled: 1, uncovered: 0, repeated: false })),
  )
  expect(decoded).toBe(1)
})

test('S3: changes whose reservations have more budgets than one exchange loads are applied in order, up to the bound', () => {
  const books = new Books()
  const epoch = books.join()
  const many = CHANGED_SOURCES_MAX / 100 + 2
  for (let at = 0; at < many; at += 1) books.rows.saveReservation(reserved(`r${at}`, KEYS.slice(0, 100), 9e12))
  const changes = (['k3', 'k7'] as const).flatMap((key) =>
    Array.from({ length: many }, (_, at) => ({ op: 'settle', key, id: `r${at}`, units: 0 }) as const),
  )
  const parts: Partial<Batch> = { entries: [asking('a', { policy: seats(1) })], changes }
  const first = books.send(books.batch(epoch, parts))
  expect(first.kind === 'applied' && first.credits?.changes.map(({ kind }) => kind)).toEqual(
    Array.from({ length: many - 2 }, () => 'settled'),
  )
  // One past the bound is the first of the next exchange.
  const next = books.send(books.batch(epoch, { ...parts, changes: changes.slice(many - 2, many) }))
  expect(next.kind === 'applied' && next.credits?.changes.map(({ kind }) => kind)).toEqual(['settled', 'settled'])
})

test('R3: a sweep loads reservations up to the bound, and at least one', () => {
  const { rows } = new Books()
  for (let at = 0; at < 20; at += 1) rows.saveReservation(reserved(`r${at}`, KEYS.slice(0, 100), 10 + at))
  const { due } = loadSweep(rows, 50, 1_000)
  expect([due.map(({ id }) => id), isBoundReached(due)]).toEqual([['r0', 'r1', 'r2', 'r3', 'r4'], true])
  expect(due.length * 100).toBe(LOADED_SOURCES_MAX)
  const large = new Books().rows
  large.saveReservation(
    reserved(
      'large',
      Array.from({ length: 1_000 }, (_, at) => `k${at}`),
      10,
    ),
  )
  expect(loadSweep(large, 50, 1_000).due).toHaveLength(1)
})

test('S3: on SQLite the bound is in the order of the changes, whichever reservations this connection has made itself', async () => {
  const path = newPath()
  const [one, two] = [1, 2].map(() => closing(sqlite(path, { thread: false, driver: 'libsql' })))
  if (one === undefined || two === undefined) throw new Error('two stores')
  const [first, second] = [await one.join('one'), await two.join('two')]
  const keys = KEYS.slice(0, 200)
  const entries = keys.map((key) => entry({ key }))
  const remember = (id: string) => ({ id, as: 'reservation', ttlMs: 9_000_000, onExpire: 'return' }) as const
  const takeOf = (id: string) => ({ need: keys.map((_, at) => [at, 1] as const), n: 1, remember: remember(id) })
  await one.exchange(batch(first, 1, { entries, takes: [takeOf('other')] }))
  const own = Array.from({ length: 11 }, (_, at) => `own${at}`)
  await two.exchange(batch(second, 1, { entries, takes: own.map(takeOf) }))
  // The first change names one that must be read; eleven that are known make more than the bound.
  const changes = ['other', ...own].map((id) => ({ op: 'settle', key: 'k0', id, units: 0 }) as const)
  const answer = applied(await two.exchange(batch(second, 2, { changes })))
  expect(answer.credits?.changes.map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => 'settled'))
})
