import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Batch, BudgetEntry } from '../../src/core/exchange.ts'
import { rounds } from '../rounds.ts'
import { asking, Books, LEASE_TTL_MS, seats } from './books-fixture.ts'
import { SmallOwner, type Delivery, type Told } from './small-owner.ts'
import { UnitBooks } from './unit-books.ts'

const KEYS = ['a', 'b', 'c'] as const

const asked = fc.record({
  key: fc.nat(2),
  spent: fc.nat(9),
  refund: fc.oneof(fc.constant(0), fc.nat(9)),
  hold: fc.nat(12),
  mint: fc.option(fc.record({ id: fc.nat(2), units: fc.constant(5) }), { nil: undefined }),
})

const exchange = fc.record({
  do: fc.constant('exchange' as const),
  owner: fc.nat(2),
  asks: fc.uniqueArray(asked, { selector: ({ key }) => key, maxLength: 3 }),
  takes: fc.array(
    fc.record({
      needs: fc.uniqueArray(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 7 })), {
        selector: ([at]) => at,
        minLength: 1,
        maxLength: 2,
      }),
      n: fc.nat(5),
    }),
    { maxLength: 3 },
  ),
})

const death = fc.record({ do: fc.constant('death' as const), owner: fc.nat(2) })

test('S3, S8, L2: every unit is where a model of single units expects it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 12, arbitrary: exchange }, { weight: 1, arbitrary: death }), { maxLength: 40 }),
      (steps) => {
        const books = new Books()
        const units = new UnitBooks()
        const epochs = [books.join(), books.join(), books.join()]
        for (const step of steps) {
          const epoch = epochs[step.owner] ?? 0
          if (step.do === 'death') {
            epochs[step.owner] = bury(books, epochs, epoch)
            units.burn(epoch)
            continue
          }
          const entries = step.asks.map((ask): BudgetEntry => {
            const key = KEYS[ask.key] ?? 'a'
            const mint = ask.mint === undefined ? {} : { mint: { id: `${ask.mint.id}`, units: ask.mint.units } }
            const spent = Math.min(ask.spent, units.count(key, epoch))
            return asking(key, { policy: seats(20), spent, refund: ask.refund, hold: ask.hold, ...mint })
          })
          const takes = step.takes
            .filter(({ needs }) => needs.every(([at]) => at < entries.length))
            .map(({ needs, n }) => ({ need: needs, n }))
          const answer = books.apply(epoch, entries, takes)
          const { granted, refunded } = units.apply(epoch, entries, takes)
          expect(answer.granted).toEqual(granted)
          expect(answer.entries).toMatchObject(
            entries.map(({ key }, at) => ({
              held: units.count(key, epoch),
              pool: units.count(key, 'pool'),
              used: units.count(key, 'used'),
              burned: units.count(key, 'burned'),
              othersHeld: units.heldByOthers(key, epoch),
              refunded: refunded[at],
            })),
          )
        }
      },
    ),
    { numRuns: rounds(100) },
  )
})

/** Lets the epoch expire while the others renew, and opens another. */
function bury(books: Books, epochs: readonly number[], dead: number): number {
  for (let part = 0; part < 3; part++) {
    books.now += LEASE_TTL_MS * 0.4
    for (const epoch of epochs) if (epoch !== dead) books.apply(epoch, [])
  }
  return books.join()
}

const LIMIT = 12

const deliveries: readonly [Delivery, ...Delivery[]] = ['answered', 'answered', 'request lost', 'answer lost']
const move = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      owner: fc.nat(2),
      units: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      owner: fc.nat(2),
      hold: fc.nat(12),
      cost: fc.integer({ min: 1, max: 4 }),
      n: fc.nat(2),
      refund: fc.oneof(fc.constant(0), fc.nat(6)),
      delivery: fc.constantFrom(...deliveries),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), back: fc.nat(9), isHeard: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), owner: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(500, 6_000, 11_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.constantFrom(-3_600_000, 3_600_000) }) },
)

test('L1, L2: with lost, late and repeated messages and dead owners, no more units are admitted than minted', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
      const books = new Books()
      const told: Told = { admitted: 0 }
      const owners = [0, 1, 2].map(() => new SmallOwner(books, told, seats(LIMIT)))
      const sent: Batch[] = []
      for (const move of moves) {
        if (move.do === 'pass' || move.do === 'jump') books.now += move.ms
        else if (move.do === 'admit') owners[move.owner]?.admit(move.units)
        else if (move.do === 'crash') owners[move.owner]?.start()
        else if (move.do === 'send') {
          const { hold, cost, n, refund, delivery } = move
          const batch = owners[move.owner]?.send(hold, cost, n, refund, delivery)
          if (batch !== undefined) sent.push(batch)
        } else deliver(books, owners, sent.at(-1 - move.back), move.isHeard)
        expect(brokenLaws(books, told)).toEqual([])
      }
      drain(books, owners, told)
      expect(brokenLaws(books, told)).toEqual([])
    }),
    { numRuns: rounds(1_000) },
  )
})

/** A batch that was sent some time ago arrives, again or for the first time. The owner that still waits for it may get the answer. */
function deliver(books: Books, owners: readonly SmallOwner[], batch: Batch | undefined, isHeard: boolean): void {
  if (batch === undefined) return
  const answer = books.send(batch)
  const waiting = owners.find((owner) => owner.waiting === batch)
  if (isHeard) waiting?.answered(batch, answer)
}

/** Every owner, dead or not, admits its whole lease. Then a new owner takes the rest. A unit granted twice breaks L1. */
function drain(books: Books, owners: readonly SmallOwner[], told: Told): void {
  for (const owner of owners) owner.admit(Math.max(owner.left, 0))
  new SmallOwner(books, told, seats(LIMIT)).send(0, 1, 2 * LIMIT, 0, 'answered')
}

/** Descriptions of the laws that do not hold. */
function brokenLaws(books: Books, told: Told): string[] {
  const nothing = { key: 'a', period: 0, minted: 0, used: 0, pool: 0, burned: 0 }
  const row = books.budget('a') ?? nothing
  const { minted, used, pool, burned } = row
  const held = books.held('a')
  const broken: string[] = []
  // A refund counts from the moment that the store has applied it.
  if (told.admitted - books.refunded > minted) broken.push(`L1: ${told.admitted} - ${books.refunded} of ${minted}`)
  if (minted !== used + pool + burned + held || Math.min(used, pool, burned) < 0)
    broken.push(`L2: ${JSON.stringify(row)}`)
  return broken
}
