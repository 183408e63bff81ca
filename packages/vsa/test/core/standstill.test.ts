import { describe, expect, test } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { Batch } from '../../src/core/exchange.ts'
import { Standstill } from '../../src/core/standstill.ts'
import { storeFrom } from '../../src/store-from.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { asking, Books, LEASE_TTL_MS, seats } from './books-fixture.ts'
import { Lock, locked } from './locked-adapter.ts'

/** An owner with a handle of its own, as one process has it. */
interface Owner {
  readonly store: Store
  readonly joined: Joined
}

/** True time, and by how much the wall clock is ahead of it, in ms. */
interface FleetClock {
  now: number
  setByMs: number
}

/** Four owners with a lease of 5 units each, on one store whose lock a test can hold. */
async function fleet(): Promise<{ clock: FleetClock; lock: Lock; memory: MemoryAdapter; owners: Owner[] }> {
  const clock = { now: 1_000_000, setByMs: 0 }
  const lock = new Lock()
  const memory = new MemoryAdapter(() => clock.now + clock.setByMs, LEASE_TTL_MS)
  let tokens = 0
  const handle = (): Store =>
    storeFrom(locked(memory, lock), { now: () => clock.now, newToken: () => `token ${(tokens += 1)}` })
  const owners: Owner[] = []
  for (const name of ['a', 'b', 'c', 'd']) {
    const store = handle()
    owners.push({ store, joined: await store.join(name) })
  }
  for (const owner of owners)
    await owner.store.exchange(batchOf(owner, 1, asking('k', { policy: seats(100), hold: 5 })))
  return { clock, lock, memory, owners }
}

function batchOf({ joined: { epoch, token, incarnation } }: Owner, seq: number, ...entries: Batch['entries']): Batch {
  return { epoch, token, incarnation, seq, entries, takes: [], close: false }
}

function kindsOf(owners: readonly Owner[], seq: number): Promise<string[]> {
  return Promise.all(owners.map(async (owner) => (await owner.store.exchange(batchOf(owner, seq))).kind))
}

describe('a store that stands still for longer than a lease lives', () => {
  test('S8, L4: an outside lock of 13 s: owners whose calls waited are not fenced, whichever comes first, and nothing burns', async () => {
    for (const first of [0, 1, 2, 3]) {
      const { clock, lock, memory, owners } = await fleet()
      const unlock = await lock.take()
      clock.now += 3_000
      const order = [...owners.slice(first), ...owners.slice(0, first)]
      const answers = kindsOf(order, 2)
      clock.now += 10_000
      unlock()
      expect(await answers).toEqual(['applied', 'applied', 'applied', 'applied'])
      expect(memory.list({ limit: 9 }).rows).toMatchObject([{ budget: { burned: 0, pool: 80 } }])
    }
  })

  test('S8: a wall clock that is set back while a call waits does not hide the wait', async () => {
    const { clock, lock, memory, owners } = await fleet()
    const unlock = await lock.take()
    clock.now += 3_000
    clock.setByMs = 3_600_000
    const answers = kindsOf(owners, 2)
    clock.setByMs = 0
    clock.now += 10_000
    unlock()
    expect(await answers).toEqual(['applied', 'applied', 'applied', 'applied'])
    expect(memory.list({ limit: 9 }).rows).toMatchObject([{ budget: { burned: 0, pool: 80 } }])
  })

  test('S8: owners whose calls failed meanwhile are spared for one lease lifetime afterwards, and a dead one is reaped then', async () => {
    const { clock, memory, owners } = await fleet()
    const [one, two, three, dead] = owners
    if (one === undefined || two === undefined || three === undefined || dead === undefined)
      throw new Error('four owners')
    const failing = memory.loadUpkeep.bind(memory)
    memory.loadUpkeep = () => {
      throw new StoreError('store_busy', 'locked', { applied: 'no', transient: true })
    }
    clock.now += 3_000
    await expect(one.store.exchange(batchOf(one, 2))).rejects.toMatchObject({ code: 'store_busy' })
    clock.now += 10_000
    // The others did not call meanwhile. They must not reap each other either.
    memory.loadUpkeep = failing
    expect(await kindsOf([one], 2)).toEqual(['applied'])
    clock.now += 2_000
    expect(await kindsOf([one], 3)).toEqual(['applied'])
    expect(await kindsOf([two, three], 2)).toEqual(['applied', 'applied'])
    clock.now += 6_000
    expect(await kindsOf([two, three], 3)).toEqual(['applied', 'applied'])
    expect(await kindsOf([one], 4)).toEqual(['applied'])
    expect(memory.list({ limit: 9 }).rows).toMatchObject([{ budget: { burned: 0 } }])
    clock.now += 2_100
    expect(await kindsOf([one], 5)).toEqual(['applied'])
    expect(memory.list({ limit: 9 }).rows).toMatchObject([{ budget: { burned: 5 } }])
    expect(await kindsOf([dead], 2)).toEqual(['fenced'])
  })

  test('S8: an owner that had expired before the standstill began is reaped at once', () => {
    const books = new Books()
    const [dead, living] = [books.join(), books.join()]
    books.row(dead, asking('a', { policy: seats(9), hold: 4 }))
    books.now += LEASE_TTL_MS - 1_000
    books.apply(living, [])
    books.now += 3_000
    books.standstillMs = 1_000
    books.maintain(living)
    expect(books.rows.owner(dead)?.state).toBe('closed')
  })
})

describe('what counts as a standstill', () => {
  const GRACE_MS = 10_000
  const still = (): Standstill => new Standstill(GRACE_MS)

  test('S8: a wait of less than 50 ms is none', () => {
    const waited = still()
    waited.ended(1_000, 1_049, 5)
    expect(waited.ageMs(1_049)).toBe(0)
    waited.ended(1_000, 1_050, 5)
    expect(waited.ageMs(1_060)).toBe(60)
  })

  test('S8: it begins with the first of the calls that failed, and a wait of a second with the last transaction of any handle', () => {
    const failed = still()
    failed.failed(500)
    failed.failed(800)
    failed.ended(900, 1_000, 60_000)
    expect(failed.ageMs(1_000)).toBe(500)
    const waited = still()
    waited.ended(1_000, 2_000, 13_000)
    expect(waited.ageMs(2_000)).toBe(13_000)
  })

  test('S8: its effect ends one lease lifetime after its end, and waits that never end spare no owner for longer', () => {
    const waited = still()
    let oldest = 0
    for (let now = 0; now < 60_000; now += 100) {
      waited.ended(now, now + 60, 100)
      oldest = Math.max(oldest, waited.ageMs(now + 60))
    }
    expect(oldest).toBeLessThanOrEqual(GRACE_MS + 60)
    expect(waited.ageMs(60_000 + GRACE_MS)).toBe(0)
  })

  test('S8: the memory of standstills is bounded, and a clock that is set back ends their effect', () => {
    const waited = still()
    for (let at = 0; at < 5_000; at += 10) waited.ended(at, at + 50, 1)
    expect(waited.ageMs(5_050)).toBeGreaterThan(4_000)
    expect(waited.ageMs(5_050 - 3_600_000)).toBe(0)
  })
})
