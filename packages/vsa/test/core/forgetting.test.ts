import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoreLife } from '../../src/core/adapter.ts'
import { type Life, lifeAt, ONE_LIFE, withLife } from '../../src/core/life.ts'
import { transition } from '../../src/core/transition.ts'
import { writesOf } from '../../src/core/writes.ts'
import { loadExchange } from '../../src/stores/memory/load.ts'
import { rounds } from '../rounds.ts'
import { asking, Books, LEASE_TTL_MS, seats, tokenOf } from './books-fixture.ts'

const BEFORE: Life = { incarnation: 'before', mayForget: true, frozenUntil: 0 }
const AFTER: Life = { ...BEFORE, incarnation: 'after' }
const FROZEN: Life = { ...BEFORE, frozenUntil: 2_000_000 }

/** Books of a store that may forget, and its first owner. */
function books(life: Life = BEFORE): { readonly books: Books; readonly epoch: number } {
  const made = new Books()
  made.life = life
  return { books: made, epoch: made.join() }
}

describe('the life of a store', () => {
  const kept: StoreLife = { incarnation: 'i', keptIncarnation: 'i', frozenUntil: 0, mayForget: true }
  const other = { ...kept, keptIncarnation: 'h' }
  const at = (life: StoreLife | undefined, time = 1_000): Life => lifeAt(life, time, LEASE_TTL_MS)

  test('F3: a store in the incarnation that it has kept is not frozen, nor is a new one, nor one that never forgets', () => {
    expect(at(kept)).toEqual({ incarnation: 'i', mayForget: true, frozenUntil: 0 })
    expect(at({ ...kept, keptIncarnation: null })).toMatchObject({ frozenUntil: 0 })
    expect(at(undefined)).toBe(ONE_LIFE)
  })

  test('F3: a store in another incarnation than it has kept is frozen for one lease lifetime, and that is kept', () => {
    const life = at(other)
    expect(life.frozenUntil).toBe(1_000 + LEASE_TTL_MS)
    const writes = withLife(writesOf(1_000, {}), other, life)
    expect(writes.life).toEqual({ incarnation: 'i', frozenUntil: 1_000 + LEASE_TTL_MS })
    const later = { ...kept, frozenUntil: writes.life?.frozenUntil ?? 0 }
    expect(at(later, 1_000 + LEASE_TTL_MS - 1).frozenUntil).toBe(1_000 + LEASE_TTL_MS)
    expect(at(later, 1_000 + LEASE_TTL_MS).frozenUntil).toBe(0)
    expect(withLife(writesOf(1_000, {}), later, at(later)).life).toBeNull()
  })

  test('F3: a new store keeps its first incarnation; one that never forgets keeps none', () => {
    const first = { ...kept, keptIncarnation: null }
    expect(withLife(writesOf(1, {}), first, at(first)).life).toEqual({ incarnation: 'i', frozenUntil: 0 })
    expect(withLife(writesOf(1, {}), undefined, ONE_LIFE).life).toBeNull()
  })

  test('F10: a second forgetting during the freeze starts it anew', () => {
    expect(at({ ...other, frozenUntil: 6_000 }, 5_000).frozenUntil).toBe(5_000 + LEASE_TTL_MS)
    expect(at({ ...other, frozenUntil: 900_000 }, 5_000).frozenUntil).toBe(5_000 + LEASE_TTL_MS)
  })
})

describe('a batch of another incarnation', () => {
  test('F1, F2: it applies nothing; its epoch ends, and what it leased burns', () => {
    const { books: store, epoch } = books()
    store.row(epoch, asking('a', { policy: seats(10), hold: 4 }))
    const batch = store.batch(epoch, { entries: [asking('a', { spent: 3 })], takes: [{ need: [[0, 1]], n: 1 }] })
    store.life = AFTER
    const answer = store.exchange(batch)
    expect(answer).toMatchObject({ kind: 'fenced', forgot: true, last: { seq: 1 }, gone: [4] })
    expect(store.rows.owner(epoch)).toMatchObject({ state: 'closed', seq: 1 })
    expect(store.budget('a')).toMatchObject({ used: 0, pool: 6, burned: 0 })
    const next = store.join()
    expect(store.row(next, asking('a', { known: true }))).toMatchObject({ burned: 4, pool: 6 })
  })

  test('F7, S6: of a damaged row nothing is told to be gone, so that the owner takes the answer', () => {
    const { books: store, epoch } = books()
    for (const key of ['a', 'b']) store.row(epoch, asking(key, { policy: seats(10), hold: 4 }))
    const batch = store.batch(epoch, { entries: [asking('a', { spent: 3 }), asking('b', { spent: 1 })] })
    const row = store.budget('a')
    if (row !== undefined) store.rows.saveBudget({ ...row, pool: 99 })
    store.life = AFTER
    expect(store.exchange(batch)).toMatchObject({ kind: 'fenced', gone: [null, 4] })
  })

  test('F2: the last seq and its outcome are told, so that its waiters learn what counted (O5); again, too', () => {
    const { books: store, epoch } = books()
    const batch = store.batch(epoch, {
      entries: [asking('a', { policy: seats(2) })],
      takes: [{ need: [[0, 1]], n: 3 }],
    })
    store.send(batch)
    store.life = AFTER
    for (let times = 0; times < 2; times += 1) {
      expect(store.exchange(batch)).toMatchObject({
        ...{ kind: 'fenced', forgot: true, last: { seq: 1, outcome: { granted: [2] } }, gone: [2] },
      })
    }
  })

  test('F1, F2: an epoch that is not known, or is another one with the same number, tells nothing', () => {
    const { books: store, epoch } = books()
    store.row(epoch, asking('a', { policy: seats(10), hold: 4 }))
    const strange = { ...store.batch(epoch, { entries: [asking('a')] }), token: 'of another owner' }
    const answer = { kind: 'fenced', forgot: true, last: null, gone: [null] }
    expect(store.exchange(strange)).toMatchObject(answer)
    expect(store.exchange({ ...strange, epoch: 9, token: tokenOf(9) })).toMatchObject(answer)
    expect(store.rows.owner(epoch)?.state).toBe('open')
  })
})

describe('a frozen store', () => {
  test('F3: no lease grows and no take is granted; the answer says until when', () => {
    const { books: store, epoch } = books()
    store.row(epoch, asking('a', { policy: seats(10), hold: 4 }))
    store.life = FROZEN
    const answer = store.apply(epoch, [asking('a', { known: true, spent: 1, hold: 9 })], [{ need: [[0, 1]], n: 2 }])
    expect(answer).toMatchObject({ frozenUntil: 2_000_000, granted: [0], entries: [{ held: 3, pool: 6, used: 1 }] })
    store.life = BEFORE
    const after = store.apply(epoch, [asking('a', { known: true, hold: 9 })], [{ need: [[0, 1]], n: 2 }])
    expect(after).toMatchObject({ frozenUntil: 0, granted: [2], entries: [{ held: 7, pool: 0 }] })
  })

  test('F3: it goes on joining, making rows, minting, settling, refunding and taking leases back', () => {
    const { books: store, epoch } = books()
    store.row(epoch, asking('a', { policy: seats(10), hold: 4 }))
    store.life = FROZEN
    expect(store.row(epoch, asking('a', { known: true, spent: 3, refund: 2, hold: 0 }))).toMatchObject({
      ...{ used: 1, pool: 9, held: 0, refunded: 2 },
    })
    const mint = { id: 'm', units: 5 }
    expect(store.row(store.join(), asking('b', { policy: seats(1), mint }))).toMatchObject({
      minted: 6,
      mint: 'minted',
    })
  })

  test('F3: a replay tells what was granted before, and that nothing is granted now', () => {
    const { books: store, epoch } = books()
    const batch = store.batch(epoch, {
      entries: [asking('a', { policy: seats(2) })],
      takes: [{ need: [[0, 1]], n: 1 }],
    })
    store.send(batch)
    store.life = FROZEN
    expect(store.exchange(batch)).toMatchObject({ kind: 'replayed', granted: [1], frozenUntil: 2_000_000 })
  })
})

describe('a row is restated', () => {
  test('F5: what the store lacks of what was gone is burned, and again changes nothing', () => {
    const { books: store, epoch } = books()
    store.row(epoch, asking('a', { policy: seats(10), hold: 2 }))
    for (let times = 0; times < 2; times += 1)
      expect(store.row(epoch, asking('a', { gone: 7, hold: 2 }))).toMatchObject({ burned: 5, pool: 3, held: 2 })
    expect(store.row(epoch, asking('a', { gone: 1, hold: 2 }))).toMatchObject({ burned: 5, pool: 3 })
  })

  test('F5: the pool may become negative, and nothing is granted from it', () => {
    const { books: store, epoch } = books()
    const answer = store.apply(epoch, [asking('a', { policy: seats(3), gone: 5 })], [{ need: [[0, 1]], n: 1 }])
    expect(answer).toMatchObject({ granted: [0], entries: [{ minted: 3, burned: 5, pool: -2 }] })
  })

  test('F5: T11: a raise of the limit and a mint that were forgotten too come again, and give nothing twice', () => {
    const { books: store, epoch } = books()
    const raised = { kind: 'window', limit: 2, burnMax: 9, version: 2, endsAt: 9e6, keepUntil: 9e6 } as const
    store.row(epoch, asking('a', { policy: { ...raised, limit: 1, version: 1 } }))
    expect(store.row(epoch, asking('a', { gone: 2 }))).toMatchObject({ minted: 1, pool: -1 })
    expect(store.row(epoch, asking('a', { policy: raised }))).toMatchObject({ minted: 2, pool: 0 })
    store.row(epoch, asking('b', { policy: seats(1), gone: 4 }))
    expect(store.row(epoch, asking('b', { mint: { id: 'm', units: 3 } }))).toMatchObject({ minted: 4, pool: 0 })
  })

  test('F5, S4: a row that is missing is made from the policy, unless its period has ended', () => {
    const { books: store, epoch } = books()
    const policy = { kind: 'window', limit: 9, burnMax: 9, version: 2, endsAt: 1_100_000, keepUntil: 9e6 } as const
    const entry = asking('a', { period: 1_000_000, policy, gone: 4 })
    expect(store.row(epoch, entry)).toMatchObject({ minted: 9, burned: 4, pool: 5 })
    const past = { ...entry, key: 'b', period: 900_000, policy: { ...policy, endsAt: 930_000 } }
    expect(store.apply(epoch, [past]).entries).toEqual([{ kind: 'period_closed' }])
  })

  test.each([-1, 0.5, NaN, 2 ** 53])(
    'S6, F5: %s is no number of units: the row is named, and nothing changes',
    (gone) => {
      const { books: store, epoch } = books()
      const batch = store.batch(epoch, { entries: [asking('a', { policy: seats(3), gone })] })
      expect(store.send(batch)).toMatchObject({ kind: 'breach', row: { key: 'a', period: 0 } })
    },
  )

  test('F5, L1: whatever was lost and comes again in whatever order, what was gone is never granted again', () => {
    const units = fc.nat(20)
    fc.assert(
      fc.property(units, units, units, units, fc.boolean(), (limit, minted, spent, lost, first) => {
        const total = limit + minted
        const { books: store, epoch } = books()
        const gone = Math.min(total, spent)
        const restate = (): void => void store.row(epoch, asking('a', { policy: seats(limit), gone }))
        const mint = (): void =>
          void store.row(epoch, asking('a', { policy: seats(limit), mint: { id: 'm', units: minted } }))
        const takes = (): number =>
          store.apply(epoch, [asking('a', { policy: seats(limit) })], [{ need: [[0, 1]], n: 50 }]).granted[0] ?? 0
        const again = Math.min(gone, lost)
        store.apply(epoch, [asking('a', { policy: seats(limit) })], again > 0 ? [{ need: [[0, again]], n: 1 }] : [])
        const survived = store.budget('a')?.used ?? 0
        if (first) restate()
        mint()
        if (!first) restate()
        restate()
        const admitted = Math.max(gone, survived) + takes()
        expect(admitted).toBe(Math.max(total, survived))
      }),
      { numRuns: rounds(200) },
    )
  })
})

describe('the answer to the last batch of an ended epoch', () => {
  test('F7: it tells what is gone of each row, where that batch counted and the store may forget', () => {
    const { books: store, epoch } = books()
    const entries = [asking('a', { policy: seats(5) }), { kind: 'void' } as const]
    const batch = store.batch(epoch, { entries, takes: [{ need: [[0, 2]], n: 1 }], close: true })
    store.send(batch)
    expect(store.exchange(batch)).toMatchObject({ kind: 'fenced', forgot: false, gone: [2, null] })
    expect(store.exchange(store.batch(epoch, { entries }))).toMatchObject({ kind: 'fenced', gone: [null, null] })
    store.life = { ...BEFORE, mayForget: false }
    expect(store.exchange(batch)).toMatchObject({ kind: 'fenced', gone: [null, null] })
  })
})

test('F2: a batch of another incarnation, of an epoch that is closed already, writes nothing', () => {
  const books = new Books()
  const epoch = books.join()
  const late = books.batch(epoch, { entries: [asking('a')], incarnation: 'before' })
  books.send(books.batch(epoch, { close: true, seq: 1 }))
  const { answer, writes } = transition(loadExchange(books.rows, late, books.now), late, books.now, AFTER)
  expect([answer.kind, writes]).toEqual(['fenced', null])
})

test('F5: what is no number of units is a breach that says so', () => {
  const books = new Books()
  const epoch = books.join()
  books.row(epoch, asking('a', { policy: seats(9) }))
  const answer = books.send(books.batch(epoch, { entries: [asking('a', { known: true, gone: -1 })] }))
  expect(answer).toMatchObject({ kind: 'breach', detail: expect.stringContaining('gone is -1') as string })
})
