import { type ManualClock, manualClock } from 'vsa/testing'
import { loadLibrary } from '../simulation/library.ts'
import { Rng } from '../simulation/rng.ts'
import { must } from '../simulation/violation.ts'
import { ForgetfulOwner } from './owner.ts'
import { ForgetfulStore, LEASE_TTL_MS } from './store.ts'

const SEAT = { initial: 1 } as const
const SEATS = { initial: 9 } as const

interface Pair {
  readonly clock: ManualClock
  readonly store: ForgetfulStore
  readonly a: ForgetfulOwner
  readonly b: ForgetfulOwner
}

/** Two owners on one store, on a network without faults. */
async function pairOf(folder: string): Promise<Pair> {
  const library = await loadLibrary(folder)
  const clock = manualClock()
  const store = new ForgetfulStore(library, () => clock.now())
  const owner = (number: number): ForgetfulOwner => {
    const rng = new Rng(number, 'trace')
    const fail = (error: unknown): void => void (store.violation ??= error instanceof Error ? error : null)
    return new ForgetfulOwner(library, { store, clock, rng, number, isHonest: true, exchangeTimeoutMs: 200, fail })
  }
  const pair = { clock, store, a: owner(0), b: owner(1) }
  await clock.advance(10)
  return pair
}

/** F7: a take counts, its answer is lost, and `fenced` tells of it. Then the store forgets all of that. */
export async function assertFencedTakeRemembered(folder: string): Promise<void> {
  const { clock, store, a, b } = await pairOf(folder)
  const { size } = store
  a.net.inject('exchange', { kind: 'lost_answer' })
  const first = a.vsa.budget('seat', SEAT).admit(1, { deadlineMs: 60_000 })
  await clock.advance(1)
  store.bury(a.vsa.stats().epoch ?? 0)
  b.vsa.counter('c').add()
  await clock.advance(500)
  must((await Promise.race([first, Promise.resolve(null)])) === true, 'O5', () => 'the fenced answer told of no take')
  store.forget(store.size - size)
  await clock.advance(3 * LEASE_TTL_MS)
  const second = b.vsa.budget('seat', SEAT).admit(1, { deadlineMs: 60_000 })
  await clock.advance(2 * LEASE_TTL_MS)
  const told = await Promise.all([first, second])
  if (store.violation !== null) throw store.violation
  must(told.join() === 'true,false', 'L1', () => `of one seat, two owners were told ${told.join(' and ')}`)
}

/** F5: a refund counts, its answer is lost, and another owner is answered with it. Then the store forgets all of that. */
export async function assertForgottenRefundGivenUp(folder: string): Promise<void> {
  const { clock, store, a, b } = await pairOf(folder)
  const admitted = [b.vsa.budget('seats', SEATS).admit(4)]
  await clock.advance(10)
  const { size } = store
  a.net.inject('exchange', { kind: 'lost_answer' })
  a.vsa.budget('seats', SEATS).refund(2)
  await clock.advance(110)
  admitted.push(b.vsa.budget('seats', SEATS).admit(1))
  await clock.advance(10)
  must((await Promise.all(admitted)).every(Boolean), 'L5', () => 'of nine seats, five were not admitted')
  store.forget(store.size - size)
  // The other one restates first: what is restated later covers the refund.
  b.vsa.counter('c').add()
  await clock.advance(6 * LEASE_TTL_MS)
  if (store.violation !== null) throw store.violation
  const row = (await store.rows()).rows.find(({ budget }) => budget.key === 'seats')?.budget
  const gone = row === undefined ? 0 : row.minted - row.pool
  must(gone >= 3, 'L1', () => `5 seats were admitted and 2 given back, and ${gone} are gone`)
}
