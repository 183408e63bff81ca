import { manualClock } from 'vsa/testing'
import { loadLibrary } from '../simulation/library.ts'
import { Rng } from '../simulation/rng.ts'
import { must } from '../simulation/violation.ts'
import { ForgetfulOwner } from './owner.ts'
import { ForgetfulStore, LEASE_TTL_MS } from './store.ts'

const SEAT = { initial: 1 } as const

/** F7: a take counts, its answer is lost, and `fenced` tells of it. Then the store forgets all of that. */
export async function assertFencedTakeRemembered(folder: string): Promise<void> {
  const library = await loadLibrary(folder)
  const clock = manualClock()
  const store = new ForgetfulStore(library, () => clock.now())
  const [a, b] = [0, 1].map((number) => {
    const rng = new Rng(number, 'trace')
    const fail = (error: unknown): void => void (store.violation ??= error instanceof Error ? error : null)
    return new ForgetfulOwner(library, { store, clock, rng, number, isHonest: true, exchangeTimeoutMs: 200, fail })
  }) as [ForgetfulOwner, ForgetfulOwner]
  await clock.advance(10)
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
