import { describe, expect, test } from 'vitest'
import { asking, Books, seats } from './books-fixture.ts'

describe('when a lease may grow', () => {
  test('S5: a lease does not grow while its row is wanted, and grows from the moment that the want ends', () => {
    const books = new Books()
    const epoch = books.join()
    const grow = asking('a', { known: true, hold: 9 })
    books.row(epoch, asking('a', { policy: seats(20), hold: 2 }))
    books.row(epoch, asking('a', { known: true, hold: 2, wantMs: 500 }))
    const until = books.now + 500
    books.now = until - 1
    expect(books.row(epoch, grow)).toMatchObject({ held: 2, pool: 18 })
    expect(books.budget('a')?.wantedUntil).toBe(until)
    books.now = until
    expect(books.row(epoch, grow)).toMatchObject({ held: 9, pool: 11 })
    expect(books.budget('a')?.wantedUntil).toBe(0)
  })

  test('S5 O12: a shorter want does not end a longer one', () => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('a', { policy: seats(20), wantMs: 500 }))
    books.row(epoch, asking('a', { known: true, wantMs: 100 }))
    expect(books.budget('a')?.wantedUntil).toBe(books.now + 500)
  })

  test.each([
    [4, 9],
    [5, 2],
    [6, 2],
  ])('S5: burnMax is 5 and %d units have burned: a lease of 2 that requests 9 becomes %d', (burned, held) => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('a', { policy: { ...seats(20), burnMax: 5 }, hold: 2 }))
    books.damage('a', { burned, pool: 18 - burned })
    expect(books.row(epoch, asking('a', { known: true, hold: 9 })).held).toBe(held)
    expect(books.row(epoch, asking('a', { known: true, hold: 1 })).held).toBe(1)
  })
})
