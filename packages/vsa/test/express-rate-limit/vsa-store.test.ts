import { MemoryStore } from 'express-rate-limit'
import { expect, test } from 'vitest'
import { processes } from '../drop-ins/fixture.ts'
import { DAY_MS, MINUTE_MS, hits, inTurn, letThrough, storeOf } from './fixture.ts'

test('hits are counted one by one, and the reset time is the end of the window', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  const totals: number[] = []
  for (let hit = 0; hit < 7; hit += 1) {
    const { totalHits, resetTime } = await store.increment('ada')
    totals.push(totalHits)
    expect(resetTime?.getTime()).toBe((Math.floor(all.clock.now() / MINUTE_MS) + 1) * MINUTE_MS)
  }
  expect(totals).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(await store.get('ada')).toMatchObject({ totalHits: 7 })
  await all.close(5)
})

test('L1: of many hits at once exactly the limit is let through, by one process', async () => {
  const all = processes()
  const store = storeOf(all, all.open(), { limit: 50 })
  expect(letThrough(await hits(store, 'ada', 200), 50)).toBe(50)
  await all.close(50)
})

test('L1: and by three processes together, whatever figures each of them shows', async () => {
  const all = processes()
  const stores = [1, 2, 3].map(() => storeOf(all, all.open(), { limit: 100 }))
  let through = 0
  for (let round = 0; round < 20; round += 1) {
    const totals = await all.passing(Promise.all(stores.map(async (store) => hits(store, 'ada', 10))))
    through += letThrough(totals.flat(), 100)
  }
  expect(through).toBe(100)
  await all.close(100)
})

test('L6: a denied hit costs no units and writes nothing', async () => {
  const all = processes()
  const vsa = all.open()
  const store = storeOf(all, vsa)
  await hits(store, 'ada', 6)
  await all.clock.advance(1_000)
  const { records, leaseRecords } = vsa.stats()
  for (let round = 0; round < 50; round += 1) {
    await hits(store, 'ada', 20)
    await all.clock.advance(10)
  }
  expect(vsa.stats()).toMatchObject({ records, leaseRecords })
  await all.close(5)
})

test('what another process has spent shows within a flush interval, and what it gave back is let through', async () => {
  const all = processes()
  const [one, other] = [storeOf(all, all.open()), storeOf(all, all.open())]
  await hits(one, 'ada', 5)
  expect(letThrough(await all.passing(hits(other, 'ada', 1)), 5)).toBe(0)
  one.decrement('ada')
  await all.clock.advance(2_000)
  expect(letThrough(await all.passing(hits(other, 'ada', 2)), 5)).toBe(1)
  await all.close(5)
})

test('a denied hit that is decremented gives nothing back (skipFailedRequests sees 429 as a failure)', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  await hits(store, 'ada', 9)
  for (let denied = 0; denied < 4; denied += 1) store.decrement('ada')
  expect(letThrough(await hits(store, 'ada', 3), 5)).toBe(0)
  await all.close(5)
})

test('hits and decrements come to the same totals as in the memory store, in any order', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  const peer = new MemoryStore()
  peer.init({ windowMs: MINUTE_MS } as Parameters<MemoryStore['init']>[0])
  let seed = 7
  for (let step = 0; step < 300; step += 1) {
    seed = (seed * 48_271) % 2_147_483_647
    if (seed % 3 === 0) {
      store.decrement('ada')
      await peer.decrement('ada')
    } else {
      const [{ totalHits }, expected] = [await store.increment('ada'), await peer.increment('ada')]
      expect({ step, totalHits }).toEqual({ step, totalHits: expected.totalHits })
    }
    await all.clock.advance(7)
  }
  peer.shutdown()
  await store.resetKey('ada')
  await all.close(0)
})

test('a refund never goes below zero: decrements beyond what was let through give nothing back', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  await hits(store, 'ada', 2)
  for (let times = 0; times < 10; times += 1) store.decrement('ada')
  expect(letThrough(await hits(store, 'ada', 9), 5)).toBe(5)
  await all.close(5)
})

test('a decrement gives nothing back of what another process let through, nor in a later window', async () => {
  const all = processes()
  const [one, other] = [storeOf(all, all.open()), storeOf(all, all.open())]
  await hits(one, 'ada', 5)
  other.decrement('ada')
  await all.clock.advance(MINUTE_MS)
  one.decrement('ada')
  expect(letThrough(await all.passing(hits(other, 'ada', 9)), 5)).toBe(5)
  await all.close(10)
})

test('each window begins anew, also for the process that remembers denials', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  for (let window = 0; window < 3; window += 1) {
    expect(await inTurn(store, 'ada', 6)).toEqual([1, 2, 3, 4, 5, 6])
    await all.clock.advance(MINUTE_MS)
  }
  await all.close(15)
})

test('a window of more than 24.8 days is enforced to its end', async () => {
  const all = processes()
  const store = storeOf(all, all.open(), { windowMs: 400 * DAY_MS })
  const { resetTime } = await store.increment('ada')
  await hits(store, 'ada', 5)
  await all.clock.advance(25 * DAY_MS)
  expect((resetTime?.getTime() ?? 0) > all.clock.now()).toBe(true)
  expect(letThrough(await hits(store, 'ada', 5), 5)).toBe(0)
  await all.close(5)
})

test('a newer process that lowers the limit is obeyed by an older one, whose limiter still has the higher limit', async () => {
  const all = processes()
  const older = storeOf(all, all.open(), { limit: 10 })
  await hits(older, 'ada', 3)
  const newer = storeOf(all, all.open(), { limit: 4 })
  await all.passing(hits(newer, 'ada', 1))
  await all.clock.advance(2_000)
  expect(letThrough(await all.passing(hits(older, 'ada', 5)), 10)).toBe(0)
  await all.close(4)
})

test('a reset forgets the hits of one key, or of all that this process remembers', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  for (const key of ['ada', 'bob']) await hits(store, key, 6)
  await store.resetKey('ada')
  expect(await store.get('ada')).toBeUndefined()
  expect(await inTurn(store, 'ada', 6)).toEqual([1, 2, 3, 4, 5, 6])
  await store.resetAll()
  for (const key of ['ada', 'bob']) expect(await hits(store, key, 1)).toEqual([1])
  await all.close(2)
})

test('get reads without counting: undefined for an unknown key, 0 after every hit was taken back', async () => {
  const all = processes()
  const store = storeOf(all, all.open())
  expect(await store.get('ada')).toBeUndefined()
  await hits(store, 'ada', 1)
  store.decrement('ada')
  expect(await store.get('ada')).toMatchObject({ totalHits: 0 })
  await all.clock.advance(MINUTE_MS)
  expect(await store.get('ada')).toBeUndefined()
  await all.close(0)
})

test('after shutdown the engine goes on, and the counts stay', async () => {
  const all = processes()
  const vsa = all.open()
  const store = storeOf(all, vsa)
  await hits(store, 'ada', 5)
  store.shutdown()
  expect(letThrough(await hits(store, 'ada', 1), 5)).toBe(0)
  await all.close(5)
  await expect(store.increment('bob')).rejects.toMatchObject({ code: 'closed' })
})

test.each(['throw', 'deny', 'allow'] as const)('with the store away, onStoreUnavailable: %s', async (answer) => {
  const all = processes()
  const store = storeOf(all, all.open({ onStoreUnavailable: answer }))
  await hits(store, 'known', 1)
  all.net.cut('refuse')
  const outcome = hits(store, 'ada', 1).then(
    (totals) => letThrough(totals, 5),
    (error: unknown) => error,
  )
  await all.clock.advance(6_000)
  if (answer === 'throw') expect(await outcome).toMatchObject({ statusCode: 503 })
  else expect(await outcome).toBe(answer === 'allow' ? 1 : 0)
  // Taking back what no account has gives nothing to anybody else.
  store.decrement('ada')
  all.net.heal()
  await all.clock.advance(6_000)
  // What the request that was let through without an account is granted late goes back.
  expect(letThrough(await hits(store, 'ada', 9), 5)).toBe(5)
  await all.close(6)
})
