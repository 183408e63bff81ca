import { describe, expect, test } from 'vitest'
import type { RowPolicy } from '../../src/core/exchange.ts'
import { exchangeOn } from '../../src/core/housekeeping.ts'
import { asking, Books, LEASE_TTL_MS, seats } from './books-fixture.ts'

const PAST: RowPolicy = { kind: 'window', limit: 9, burnMax: 5, version: 1, endsAt: 1_000_000, keepUntil: 1_070_000 }
const nobodyIsGone = (): boolean => false

describe('housekeeping', () => {
  test('S8 S10: none is done by an exchange when none is due', () => {
    const books = new Books()
    const [dead, living] = [books.join(), books.join()]
    books.row(dead, asking('a', { policy: seats(9), hold: 4 }))
    books.row(living, asking('b', { policy: PAST }))
    books.now = 1_070_001 + LEASE_TTL_MS
    const look = books.batch(living, {})
    expect(exchangeOn(books.ledger, look, books.now, null).kind).toBe('applied')
    expect(books.ledger.owner(dead)?.state).toBe('open')
    expect(books.ledger.budget('b', 0)).toBeDefined()
    expect(exchangeOn(books.ledger, look, books.now, nobodyIsGone).kind).toBe('replayed')
    expect(books.ledger.owner(dead)?.state).toBe('closed')
    expect(books.ledger.budget('a', 0)).toMatchObject({ burned: 4, pool: 5 })
    expect(books.ledger.budget('b', 0)).toBeUndefined()
  })

  test('S10: a refused exchange removes no row: its time is not kept', () => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('b', { policy: PAST }))
    books.now = 1_070_001
    expect(books.send({ epoch, seq: 9, entries: [], takes: [], close: false }).kind).toBe('lost')
    expect(books.ledger.budget('b', 0)).toBeDefined()
  })

  test('S8: a process that is known to be gone is reaped before its epoch expires', () => {
    const books = new Books()
    const [gone, living] = [books.join(), books.join()]
    books.row(gone, asking('a', { policy: seats(9), hold: 4 }))
    exchangeOn(books.ledger, books.batch(living, {}), books.now, ({ epoch }) => epoch === gone)
    expect(books.ledger.owner(gone)?.state).toBe('closed')
    expect(books.ledger.owner(living)?.state).toBe('open')
  })

  test('S8: a dead owner’s lease on a row that is not there any more goes, and makes no row', () => {
    const books = new Books()
    const dead = books.join()
    books.row(dead, asking('a', { policy: seats(9), hold: 4 }))
    books.ledger.removeBudget('a', 0)
    books.now += LEASE_TTL_MS + 1
    books.join()
    expect(books.ledger.allBudgets()).toEqual([])
    expect(books.ledger.closedLeases(9)).toEqual([])
  })
})
