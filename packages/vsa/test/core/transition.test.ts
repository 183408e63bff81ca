import { describe, expect, test } from 'vitest'
import type { LoadedBudget } from '../../src/core/adapter.ts'
import { RowDraft } from '../../src/core/row-draft.ts'
import { InvariantError } from '../../src/core/errors.ts'
import { BATCH_ENTRIES_MAX, type Batch, type BudgetEntry, type RowPolicy, type Take } from '../../src/core/exchange.ts'
import type { BudgetRow } from '../../src/core/rows.ts'
import { asking, Books, LEASE_TTL_MS, seats } from './books-fixture.ts'

const MAX = Number.MAX_SAFE_INTEGER

describe('hand-computed examples', () => {
  test('L4, L6: takes of 3 and 4 from a pool of 5: the 3 is granted, no part of the 4 is taken, and another owner gets 2 (scenario 26)', () => {
    const books = new Books()
    const [one, two] = [books.join(), books.join()]
    const answer = books.apply(
      one,
      [asking('a', { policy: seats(5) })],
      [
        { need: [[0, 3]], n: 1 },
        { need: [[0, 4]], n: 1 },
      ],
    )
    expect(answer.granted).toEqual([1, 0])
    expect(answer.entries).toMatchObject([{ used: 3, pool: 2, held: 0 }])
    expect(books.apply(two, [asking('a')], [{ need: [[0, 2]], n: 1 }]).granted).toEqual([1])
    expect(books.budget('a')).toMatchObject({ minted: 5, used: 5, pool: 0, burned: 0 })
  })

  test('L1: an exchange for a removed row gets nothing, known or not (scenario 27)', () => {
    const books = new Books()
    const one = books.join()
    const period = books.now
    const policy = minutely(period, 10)
    expect(books.apply(one, [asking('a', { period, policy })], [{ need: [[0, 10]], n: 1 }]).granted).toEqual([1])
    books.now += 200_000
    books.apply(one, [])
    expect(books.rows.budgets()).toEqual([])
    for (const known of [true, false]) {
      const late = books.apply(one, [asking('a', { period, policy, known, hold: 5 })], [{ need: [[0, 1]], n: 1 }])
      expect([late.granted, late.entries]).toEqual([[0], [{ kind: known ? 'row_lost' : 'period_closed' }]])
    }
    expect(books.rows.budgets()).toEqual([])
  })

  test('L1: two policy versions and five rolling restarts do not increase minted (scenario 28)', () => {
    const books = new Books()
    const period = books.now
    const minted: number[] = []
    for (let restart = 0; restart < 5; restart++) {
      for (const limit of [50, 80]) {
        const epoch = books.join()
        const policy = { ...minutely(period, limit), version: epoch }
        minted.push(books.row(epoch, asking('a', { period, policy, hold: 4 })).minted)
        minted.push(
          books.row(epoch, asking('a', { period, policy: { ...policy, version: epoch - 1, limit: 999 }, hold: 4 }))
            .minted,
        )
      }
    }
    expect(minted).toEqual(Array.from({ length: 5 }, () => [50, 50, 80, 80]).flat())
  })

  test('L1: a limit lowered below the leased units admits nothing more; raised again, it admits the difference (scenario 16)', () => {
    const books = new Books()
    const [one, two] = [books.join(), books.join()]
    const period = books.now
    const at = (version: number, limit: number): RowPolicy => ({ ...minutely(period, limit), version })
    expect(books.row(one, asking('a', { period, policy: at(1, 20), hold: 12 }))).toMatchObject({ held: 12, pool: 8 })
    expect(books.row(two, asking('a', { period, policy: at(2, 7), hold: 5 }))).toMatchObject({
      minted: 7,
      held: 0,
      pool: -5,
    })
    expect(books.apply(two, [asking('a', { period })], [{ need: [[0, 1]], n: 1 }]).granted).toEqual([0])
    // A granted lease stays valid: all 12 units may be spent, although the limit is 7.
    expect(books.row(one, asking('a', { period, known: true, spent: 12, hold: 12 }))).toMatchObject({
      used: 12,
      held: 0,
      pool: -5,
    })
    expect(books.row(two, asking('a', { period, policy: at(3, 15), hold: 9 }))).toMatchObject({
      minted: 15,
      held: 3,
      pool: 0,
    })
  })

  test('L3: the same batch sent five times spends once, mints once, and takes once (scenario 1)', () => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('a', { policy: seats(100), hold: 10 }))
    const batch = books.batch(epoch, {
      entries: [asking('a', { known: true, spent: 7, refund: 2, hold: 10, mint: { id: 'm', units: 50 } })],
      takes: [{ need: [[0, 20]], n: 3 }],
    })
    const answers = [0, 1, 2, 3, 4].map(() => books.send(batch))
    const [first] = answers
    // 100 + 50; lease 10 - 7 + 7; used 7 - 2 + 60; pool 90 + 50 + 2 - 60 - 7.
    expect(first).toMatchObject({
      kind: 'applied',
      granted: [3],
      entries: [{ minted: 150, used: 65, held: 10, pool: 75 }],
    })
    for (const again of answers.slice(1)) expect(again).toEqual({ ...first, kind: 'replayed' })
  })

  test('L4, S8: a dead owner’s lease is burned once, and its settled units stay used (scenario 2)', () => {
    const books = new Books()
    const dead = books.join()
    books.row(dead, asking('a', { policy: seats(30), hold: 10 }))
    books.row(dead, asking('a', { known: true, spent: 4, hold: 10 }))
    books.now += LEASE_TTL_MS + 1
    const living = books.join()
    for (let times = 0; times < 3; times++) books.join()
    expect(books.row(living, asking('a', { hold: 99 }))).toMatchObject({ used: 4, burned: 10, held: 16, pool: 0 })
  })

  test('S8: an owner is alive at its expiry, and is reaped one millisecond later', () => {
    const books = new Books()
    const silent = books.join()
    books.row(silent, asking('a', { policy: seats(9), hold: 9 }))
    books.now += LEASE_TTL_MS
    books.join()
    expect(books.rows.owner(silent)?.state).toBe('open')
    books.now += 1
    books.join()
    expect(books.rows.owner(silent)?.state).toBe('closed')
    expect(books.budget('a')).toMatchObject({ burned: 9 })
  })

  test('S8, L4: a lease of a closed epoch counts as burned in every answer, and is burned when an entry names its row', () => {
    const books = new Books()
    const [dead, living] = [books.join(), books.join()]
    const policy = { ...seats(20), burnMax: 4 }
    books.apply(dead, [asking('a', { policy, hold: 4 }), asking('b', { policy, hold: 4 })])
    const owner = books.rows.owner(dead)
    if (owner !== undefined) books.rows.saveOwner({ ...owner, state: 'closed' })
    const batch = books.batch(living, { entries: [asking('a', { known: true, hold: 9 })] })
    // `burnMax` has burned, so that no lease grows.
    const answer = { others: 0, othersHeld: 0, burned: 4, held: 0, pool: 16 }
    expect(books.exchange(batch)).toMatchObject({
      kind: 'applied',
      entries: [answer],
      written: { records: 0, leaseRecords: 2 },
    })
    expect(books.budget('a')).toMatchObject({ burned: 4, pool: 16 })
    expect(books.held('a')).toBe(0)
    expect(books.exchange(batch)).toMatchObject({ kind: 'replayed', entries: [answer] })
    // A row without an entry is answered the same before and after upkeep.
    expect([books.budget('b')?.burned, books.held('b')]).toEqual([0, 4])
    books.maintain(living)
    expect([books.budget('b')?.burned, books.held('b')]).toEqual([4, 0])
  })

  test('S8, S2: a replay counts a dead lease as burned, and writes no row for it', () => {
    const books = new Books()
    const [dead, living] = [books.join(), books.join()]
    books.apply(dead, [asking('a', { policy: seats(20), hold: 4 })])
    const batch = books.batch(living, { entries: [asking('a', { known: true, hold: 2 })] })
    expect(books.exchange(batch)).toMatchObject({ entries: [{ others: 1, othersHeld: 4, burned: 0 }] })
    const owner = books.rows.owner(dead)
    if (owner !== undefined) books.rows.saveOwner({ ...owner, state: 'closed' })
    expect(books.exchange(batch)).toMatchObject({
      kind: 'replayed',
      entries: [{ others: 0, othersHeld: 0, burned: 4 }],
    })
    expect([books.budget('a')?.burned, books.held('a')]).toEqual([0, 6])
  })
})

describe('S6: a breach names its row, and nothing is applied', () => {
  const damages: readonly (readonly [Partial<BudgetRow>, string])[] = [
    [{ pool: 6 }, 'minted 10 is not used 0 + pool 6 + burned 0 + held 5 + 0'],
    [{ used: 1 }, 'minted 10 is not used 1 + pool 5 + burned 0 + held 5 + 0'],
    [{ used: -1, pool: 6 }, 'used is -1'],
    [{ minted: 11 }, 'minted 11 is not used 0 + pool 5 + burned 0 + held 5 + 0'],
    [{ burned: 0.5, pool: 4.5 }, 'burned is 0.5'],
    [{ limit: -1 }, 'limit is -1'],
    [{ version: -1 }, 'version is -1'],
    [{ pool: Number.NaN }, 'pool is NaN'],
    [{ minted: MAX + 1, pool: MAX - 4 }, `minted is ${MAX + 1}`],
    // Each amount is in its range, and the sum matches only after rounding.
    [{ minted: 0, used: MAX, burned: MAX, pool: -2 * MAX - 5 }, `pool is ${-2 * MAX - 5}`],
  ]
  test.each(damages)('a row with %o: %s', (damage, detail) => {
    const books = new Books()
    const epoch = books.join()
    books.apply(epoch, [asking('good', { policy: seats(10), hold: 5 }), asking('bad', { policy: seats(10), hold: 5 })])
    books.damage('bad', damage)
    const before = books.everything()
    const spending = { known: true, spent: 1, hold: 5 }
    const batch = books.batch(epoch, {
      entries: [asking('good', spending), asking('bad', spending)],
      takes: [{ need: [[0, 1]], n: 1 }],
    })
    expect(books.send(batch)).toMatchObject({
      kind: 'breach',
      row: { key: 'bad', period: 0 },
      detail: `the books of budget "bad", period 0, do not balance: ${detail}`,
    })
    expect(books.everything()).toEqual(before)
    // The remaining entries are sent under the same seq, and the replay matches them by index.
    const rest: Batch = { ...batch, entries: [asking('good', spending), { kind: 'void' }] }
    expect(books.send(rest)).toMatchObject({ kind: 'applied', granted: [1], entries: [{ used: 2 }, { kind: 'void' }] })
    expect(books.send(rest)).toMatchObject({ kind: 'replayed', granted: [1], entries: [{ used: 2 }, { kind: 'void' }] })
  })

  test.each<[string, string, Partial<BudgetEntry>]>([
    ['more spent than leased', 'spent 6 of a lease of 5', { spent: 6 }],
    ['spent below 0', 'spent -1 of a lease of 5', { spent: -1 }],
    ['half a unit spent', 'spent 0.5 of a lease of 5', { spent: 0.5 }],
    ['a refund below 0', 'refund is -1', { refund: -1 }],
    ['a refund of NaN', 'refund is NaN', { refund: Number.NaN }],
    ['a hold below 0', 'hold is -1', { hold: -1 }],
    ['a hold of half a unit', 'hold is 0.5', { hold: 0.5 }],
    ['a limit of NaN', 'minted is NaN', { policy: { ...seats(Number.NaN), kind: 'window', version: 9 } }],
  ])('an entry with %s: %s', (_, detail, parts) => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('a', { policy: { ...seats(10), kind: 'window' }, hold: 5 }))
    const before = books.everything()
    const batch = books.batch(epoch, { entries: [asking('a', { known: true, hold: 5, ...parts })] })
    expect(books.send(batch)).toMatchObject({
      kind: 'breach',
      row: { key: 'a', period: 0 },
      detail: `the books of budget "a", period 0, do not balance: ${detail}`,
    })
    expect(books.everything()).toEqual(before)
  })

  test.each([
    [0, 5],
    [1, 0],
    [-1, 5],
  ])('%d leases of others, which hold %d units', (others, othersHeld) => {
    const books = new Books()
    const row = books.row(books.join(), asking('a', { policy: seats(10) })) && books.budget('a')
    if (row === undefined) throw new Error('no row')
    const loaded: LoadedBudget = {
      ...{ kind: 'budget', held: 0, others, othersHeld, ended: [], mintedBefore: undefined },
      row: { ...row, pool: 10 - othersHeld },
    }
    expect(() => new RowDraft(loaded.row ?? row, loaded)).toThrow(`${others} other leases hold ${othersHeld}`)
  })

  test.each([
    [0.5, 5],
    [5, 0.5],
  ])('another owner’s lease of %d units, beside one of %d', (theirs, ours) => {
    const books = new Books()
    const [one, two] = [books.join(), books.join()]
    books.row(one, asking('a', { policy: seats(10), hold: 5 }))
    books.rows.saveLease({ key: 'a', period: 0, epoch: one, held: ours })
    books.rows.saveLease({ key: 'a', period: 0, epoch: two, held: theirs })
    books.damage('a', { pool: 10 - ours - theirs })
    expect(books.send(books.batch(one, { entries: [asking('a', { known: true, hold: ours })] }))).toMatchObject({
      kind: 'breach',
      detail: `the books of budget "a", period 0, do not balance: leases are ${ours} and ${theirs}`,
    })
  })
})

describe('a malformed batch is a bug: it throws before a row is changed', () => {
  const entries = [asking('a', { known: true }), asking('b', { known: true })]
  const malformed: readonly (readonly [string, Partial<Batch>])[] = [
    ['batch.epoch must be a positive integer, got 0', { epoch: 0 }],
    ['batch.epoch must be a positive integer, got 1.5', { epoch: 1.5 }],
    ['batch.seq must be a positive integer, got 0', { seq: 0 }],
    ['batch.seq must be a positive integer, got 2.5', { seq: 2.5 }],
    ['a batch carries at most 1000 entries, got 1001', { entries: manyEntries(BATCH_ENTRIES_MAX + 1) }],
    ['a batch carries at most 1000 runs of takes, got 1001', { entries, takes: manyTakes(BATCH_ENTRIES_MAX + 1) }],
    [
      'a batch names each row once, got 0:a twice',
      { entries: [asking('a', { known: true }), asking('a', { known: true, spent: 1 })] },
    ],
    [
      'a batch names each row once, got counter:c twice',
      {
        entries: [
          { kind: 'counter', key: 'c', add: 1 },
          { kind: 'counter', key: 'c', add: 1 },
        ],
      },
    ],
    ['a take is for a number of requests, got -1', { entries, takes: [{ need: [[0, 1]], n: -1 }] }],
    ['a take is for a number of requests, got 0.5', { entries, takes: [{ need: [[0, 1]], n: 0.5 }] }],
    ['a take is for a number of requests, got NaN', { entries, takes: [{ need: [[0, 1]], n: Number.NaN }] }],
    ['a take needs at least one entry', { entries, takes: [{ need: [], n: 1 }] }],
    [
      'a take needs each entry once',
      {
        entries,
        takes: [
          {
            need: [
              [0, 3],
              [0, 3],
            ],
            n: 1,
          },
        ],
      },
    ],
    ['a take needs entry 2 of 2', { entries, takes: [{ need: [[2, 1]], n: 1 }] }],
    ['a take needs entry -1 of 2', { entries, takes: [{ need: [[-1, 1]], n: 1 }] }],
    ['a take costs at least 1 unit, got 0', { entries, takes: [{ need: [[0, 0]], n: 1 }] }],
    ['a take costs at least 1 unit, got -1', { entries, takes: [{ need: [[0, -1]], n: 1 }] }],
    [`a take costs at least 1 unit, got ${MAX + 1}`, { entries, takes: [{ need: [[0, MAX + 1]], n: 1 }] }],
  ]
  test.each(malformed)('%s', (message, parts) => {
    const books = new Books()
    const epoch = books.join()
    books.apply(
      epoch,
      [asking('a', { policy: seats(5) }), asking('b', { policy: seats(5) })],
      [{ need: [[0, 1]], n: 1 }],
    )
    const before = books.everything()
    expect(() => books.send(books.batch(epoch, parts))).toThrow(new InvariantError(message))
    expect(books.everything()).toEqual(before)
  })

  test('a batch of 1,000 entries and 1,000 runs is accepted', () => {
    const books = new Books()
    const takes = manyTakes(BATCH_ENTRIES_MAX)
    const entries = manyEntries(BATCH_ENTRIES_MAX)
    expect(books.send(books.batch(books.join(), { entries, takes }))).toMatchObject({ kind: 'applied' })
  })
})

function minutely(period: number, limit: number): RowPolicy {
  const endsAt = period + 60_000
  return { kind: 'window', limit, burnMax: limit, version: 1, endsAt, keepUntil: endsAt + 60_000 }
}

function manyEntries(count: number): BudgetEntry[] {
  return Array.from({ length: count }, (_, at) => asking(`k${at}`))
}

function manyTakes(count: number): Take[] {
  return Array.from({ length: count }, () => ({ need: [[0, 1]], n: 1 }))
}
