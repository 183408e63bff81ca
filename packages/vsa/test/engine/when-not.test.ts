import { describe, expect, test } from 'vitest'
import { open, type Policy, type Store } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { type ManualClock, manualClock } from '../../src/testing/index.ts'
import { bench } from './fixture.ts'

/* The figures of docs/when-not.md. */

const PER_HOUR = { limit: 60, per: 'hour' } as const

describe('60 per hour', () => {
  /** Store calls of sixty admissions with that pause between them, and of one more that is denied. */
  async function callsFor(policy: Policy, pauseMs: number): Promise<number> {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('ip:10.0.0.1', policy)
    for (let call = 0; call < 60; call += 1) {
      expect(await budget.admit()).toBe(true)
      await clock.advance(pauseMs)
    }
    expect(await budget.admit()).toBe(false)
    return vsa.stats().exchanges
  }

  test('L7: requests that come alone need a store call each, and requests in a row as well; with more at risk those in a row need few', async () => {
    const seen = []
    for (const pauseMs of [0, 50, 1_000])
      seen.push([await callsFor(PER_HOUR, pauseMs), await callsFor({ ...PER_HOUR, atRisk: 15 }, pauseMs)])
    expect(seen).toEqual([
      [59, 5],
      [60, 31],
      [62, 62],
    ])
  })
})

test('L7: a request every second on a key of its own: one store call and one record each', async () => {
  const { clock, owner } = bench()
  const { vsa } = owner()
  const budget = vsa.budget('calls', { limit: 1_000_000, per: 'month' })
  await budget.admit()
  await clock.advance(1_000)
  const before = vsa.stats()
  for (let request = 0; request < 20; request += 1) {
    await budget.admit()
    await clock.advance(1_000)
  }
  const after = vsa.stats()
  expect([after.exchanges - before.exchanges, after.records - before.records]).toEqual([20, 20])
})

test('O9: durable: one budget admits at most callers / commit time', async () => {
  for (const [callers, commitMs] of [
    [1, 5],
    [64, 5],
    [64, 20],
  ] as const)
    expect(await admittedPerSecond(callers, commitMs)).toBe((1_000 * callers) / commitMs)
  const crowd = await admittedPerSecond(1_024, 5)
  // Three quarters of 1,024 / 5 ms: answers are told 512 at a time.
  expect(crowd).toBe(153_600)
})

/** Each caller asks again as soon as it has its answer. */
async function admittedPerSecond(callers: number, commitMs: number): Promise<number> {
  const clock = manualClock()
  const vsa = open({
    store: withCommits(memory(), clock, commitMs),
    clock,
    random: () => 0.5,
    onEvent: () => undefined,
  })
  const seats = vsa.budget('seats', { initial: 10 ** 9 })
  let admitted = 0
  let isOver = false
  const call = async (): Promise<void> => {
    while (!isOver) if (await seats.admit()) admitted += 1
  }
  const all = Array.from({ length: callers }, call)
  // The join, and the exchange of the caller who was first.
  await clock.advance(4 * commitMs)
  const before = admitted
  await clock.advance(200)
  const inTime = admitted - before
  isOver = true
  await clock.advance(10 * commitMs)
  await Promise.all(all)
  return inTime * 5
}

/** Each exchange takes that long. */
function withCommits(store: Store, clock: ManualClock, commitMs: number): Store {
  return {
    capabilities: store.capabilities,
    join: (label) => store.join(label),
    exchange: async (batch) => {
      await new Promise<void>((resolve) => clock.timer(commitMs, resolve))
      return store.exchange(batch)
    },
    read: (names) => store.read(names),
    list: (range) => store.list(range),
    owners: () => store.owners(),
    useClock: (its) => store.useClock?.(its),
    close: () => store.close(),
  }
}
