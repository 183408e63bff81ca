import { describe, expect, test, vi } from 'vitest'
import type { Entry, RowPolicy } from '../../src/core/exchange.ts'
import { settleEntry } from '../../src/core/settle-entry.ts'
import { asking, Books, seats } from './books-fixture.ts'

const WINDOW: RowPolicy = { kind: 'window', limit: 20, burnMax: 5, version: 1, endsAt: 2_000_000, keepUntil: 3_000_000 }

describe('policy changes', () => {
  test.each<[string, RowPolicy, Partial<RowPolicy>]>([
    ['a lower version', WINDOW, { version: 0, limit: 30 }],
    ['the same version', WINDOW, { version: 1, limit: 30 }],
    ['another number for `initial`', seats(20), { version: 9, limit: 30 }],
    ['a window over an `initial` row', seats(20), { kind: 'window', version: 9, limit: 30 }],
    ['`initial` over the row of a window', WINDOW, { kind: 'initial', version: 9, limit: 30 }],
  ])('S3: %s changes nothing', (_, made, later) => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('a', { policy: made }))
    const before = books.budget('a')
    books.row(epoch, asking('a', { policy: { ...made, ...later } }))
    expect(books.budget('a')).toEqual(before)
  })

  test('S3: a higher version replaces the policy, even when no unit changes', () => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('a', { policy: WINDOW }))
    const same = books.apply(epoch, [asking('a', { policy: { ...WINDOW, version: 2, burnMax: 9 } })])
    expect(same.written).toEqual({ records: 1, leaseRecords: 0 })
    expect(books.budget('a')).toMatchObject({ version: 2, burnMax: 9, limit: 20, minted: 20 })
    expect(books.row(epoch, asking('a', { policy: { ...WINDOW, version: 1, limit: 99 } }))).toMatchObject({
      version: 2,
      limit: 20,
    })
  })

  test.each<[number | null, number | null, number | null]>([
    [3_000_000, 4_000_000, 4_000_000],
    [3_000_000, 2_500_000, 3_000_000],
    [3_000_000, null, 3_000_000],
    [null, 3_000_000, null],
  ])(
    'S10: a row kept until %s, with a later policy of %s, is kept until %s: never less than before',
    (first, later, kept) => {
      const books = new Books()
      const epoch = books.join()
      books.row(epoch, asking('a', { policy: { ...WINDOW, keepUntil: first } }))
      books.row(epoch, asking('a', { policy: { ...WINDOW, version: 2, keepUntil: later } }))
      expect(books.budget('a')?.keepUntil).toBe(kept)
    },
  )

  test.each<[Partial<RowPolicy>, number | null]>([
    [{ endsAt: 2_000_000, keepUntil: 2_000_000 }, 2_060_000],
    [{ endsAt: 2_000_000, keepUntil: 2_060_001 }, 2_060_001],
    [{ endsAt: 2_000_000, keepUntil: null }, null],
    [{ endsAt: null, keepUntil: 2_000_000 }, null],
  ])('S4 S10: a row of %j is kept until %s: as long as it could be created again', (ends, kept) => {
    const books = new Books()
    books.row(books.join(), asking('a', { policy: { ...WINDOW, ...ends } }))
    expect(books.budget('a')?.keepUntil).toBe(kept)
  })
})

describe('a replayed exchange', () => {
  test('S2: an entry that was refused stays refused in the replay, although the row was created since', () => {
    const books = new Books()
    const [one, two] = [books.join(), books.join()]
    const batch = books.batch(one, { entries: [asking('a', { hold: 3 })] })
    expect(books.send(batch)).toMatchObject({ kind: 'applied', entries: [{ kind: 'row_lost' }] })
    books.row(two, asking('a', { policy: seats(20) }))
    expect(books.send(batch)).toMatchObject({ kind: 'replayed', entries: [{ kind: 'row_lost' }] })
  })

  test('S2 S10: a replay after its row was removed is answered `removed`, with what it was granted', () => {
    const books = new Books()
    const epoch = books.join()
    const batch = books.batch(epoch, { entries: [asking('a', { policy: WINDOW })], takes: [{ need: [[0, 2]], n: 1 }] })
    books.send(batch)
    books.now = 3_000_001
    expect(books.exchange(batch)).toMatchObject({ kind: 'replayed', entries: [{ kind: 'budget', used: 2 }] })
    books.maintain(epoch)
    expect(books.rows.budgets()).toEqual([])
    expect(books.send(batch)).toMatchObject({
      kind: 'replayed',
      granted: [1],
      entries: [{ kind: 'removed', refunded: 0 }],
    })
  })

  test('S2: the stored outcome has only what cannot be read from the rows', () => {
    const books = new Books()
    const epoch = books.join()
    const full: Entry = { kind: 'counter', key: 'full', add: Number.MAX_SAFE_INTEGER }
    books.apply(epoch, [asking('a', { policy: seats(9) })], [{ need: [[0, 4]], n: 1 }])
    books.send(books.batch(epoch, { entries: [full] }))
    const entries: readonly Entry[] = [
      asking('a', { known: true, hold: 2 }),
      { kind: 'void' },
      { kind: 'counter', key: 'likes', add: 1 },
      asking('b', { policy: seats(9), mint: { id: 'm', units: 1 } }),
      asking('c'),
      full,
    ]
    books.send(books.batch(epoch, { entries }))
    expect(books.rows.owner(epoch)?.outcome.notes).toStrictEqual({
      3: { refunded: 0, mint: 'minted' },
      4: { noRow: 'row_lost' },
      5: { overflow: true },
    })
    books.apply(epoch, [asking('a', { known: true, refund: 3 })])
    expect(books.rows.owner(epoch)?.outcome.notes).toStrictEqual({ 0: { refunded: 3 } })
  })
})

describe('written records', () => {
  const written: readonly (readonly [string, readonly Entry[], number, number])[] = [
    ['nothing asked', [asking('a', { known: true, hold: 2 })], 0, 0],
    ['a row that does not exist', [asking('b')], 0, 0],
    ['two void entries', [{ kind: 'void' }, { kind: 'void' }], 0, 0],
    ['a read of a counter', [{ kind: 'counter', key: 'full', add: 0 }], 0, 0],
    ['a counter that would overflow', [{ kind: 'counter', key: 'full', add: 1 }], 0, 0],
    ['a counter', [{ kind: 'counter', key: 'full', add: -1 }], 1, 0],
    ['a counter with the key of a budget', [{ kind: 'counter', key: 'a', add: 1 }, asking('a', { hold: 2 })], 1, 0],
    ['spending, and a lease that stays', [asking('a', { known: true, spent: 1, hold: 2 })], 1, 0],
    ['a lease alone', [asking('a', { known: true, hold: 5 })], 0, 2],
    ['spending and a larger lease', [asking('a', { known: true, spent: 1, hold: 5 })], 1, 1],
    ['a want', [asking('a', { known: true, hold: 2, wantMs: 5 })], 0, 1],
    ['a new row', [asking('b', { policy: seats(3) })], 0, 1],
    ['a new row with a lease', [asking('b', { policy: seats(3), hold: 1 })], 0, 2],
    ['a mint', [asking('a', { known: true, hold: 2, mint: { id: 'm', units: 3 } })], 1, 0],
    ['a mint of nothing', [asking('a', { known: true, hold: 2, mint: { id: 'm', units: 0 } })], 0, 0],
  ]
  test.each(written)('L7: %s', (_, entries, records, leaseRecords) => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('a', { policy: seats(9), hold: 2 }))
    books.send(books.batch(epoch, { entries: [{ kind: 'counter', key: 'full', add: Number.MAX_SAFE_INTEGER }] }))
    const saves = [
      vi.spyOn(books.rows, 'saveBudget'),
      vi.spyOn(books.rows, 'saveLease'),
      vi.spyOn(books.rows, 'saveCounter'),
    ]
    const answer = books.send(books.batch(epoch, { entries }))
    expect(answer).toMatchObject({ kind: 'applied', written: { records, leaseRecords } })
    // The counts match the writes: a row is one write, its lease another.
    const calls = saves.map((save) => save.mock.calls.length)
    expect(calls.reduce((sum, count) => sum + count, 0)).toBe(records + leaseRecords)
  })
})

describe('a row that cannot be read', () => {
  const damaged = { kind: 'damaged', detail: 'used is text' } as const

  test('S6: of a budget is named by key and period', () => {
    const entry = asking('a', { period: 60_000 })
    expect(() => settleEntry(entry, damaged, 0)).toThrow(
      expect.objectContaining({
        row: { key: 'a', period: 60_000 },
        message: 'the books of budget "a", period 60000, do not balance: used is text',
      }) as Error,
    )
  })

  test('S6: of a counter is named as a counter', () => {
    const entry = { kind: 'counter', key: 'a', add: 1 } as const
    expect(() => settleEntry(entry, damaged, 0)).toThrow(
      expect.objectContaining({
        row: { key: 'a', period: 0, isCounter: true },
        message: 'counter "a": used is text',
      }) as Error,
    )
  })

  test('S6: an entry that is left out needs no row', () => {
    expect(settleEntry({ kind: 'void' }, damaged, 0)).toMatchObject({ kind: 'none', noRow: 'void' })
  })
})

test('S6: a store that loaded no row for an entry is named as the bug', () => {
  expect(() => settleEntry(asking('a'), undefined, 0)).toThrow('the store loaded no budget for "a"')
  expect(() => settleEntry({ kind: 'counter', key: 'c', add: 1 }, null, 0)).toThrow(
    'the store loaded no counter for "c"',
  )
})

test('P5, L7: a reset of a row that nothing was spent from is a record', () => {
  const books = new Books()
  const epoch = books.join()
  books.row(epoch, asking('a', { policy: seats(9) }))
  const reset = books.apply(epoch, [asking('a', { known: true, reset: true })])
  expect(reset.written).toEqual({ records: 1, leaseRecords: 0 })
  expect(books.budget('a')).toMatchObject({ resets: 1, pool: 9 })
})

test('O12: an answer names the rows of its batch that others want, once, and only where the owner has a lease', () => {
  const books = new Books()
  const [holder, other] = [books.join(), books.join()]
  const policy = seats(9)
  books.apply(holder, [asking('a', { policy, hold: 4 }), asking('b', { policy }), asking('c', { policy, hold: 2 })])
  books.apply(
    other,
    ['a', 'b', 'c'].map((key) => asking(key, { known: true, wantMs: 500 })),
  )
  const held = [asking('a', { known: true, hold: 4 }), asking('b', { known: true })]
  const names = books.apply(holder, held).wanted
  expect(names.map(({ key }) => key)).toEqual(['a', 'c'])
  expect(books.apply(holder, [asking('a', { known: true })]).wanted.map(({ key }) => key)).toEqual(['c'])
})
