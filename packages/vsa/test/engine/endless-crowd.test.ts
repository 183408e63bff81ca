import { expect, test } from 'vitest'
import type { Vsa } from '../../src/index.ts'
import { bench, FLUSH_MS, type Bench, type Owner } from './fixture.ts'

/* More requests wait at any time than one exchange carries: what else waits for an exchange must not wait for the end of them. */

const BATCH_MAX = 4
const CALLERS = 3 * BATCH_MAX
const EXCHANGE_MS = 10

/** A leased budget, and callers that ask for one new budget after the other, until `end`. */
async function crowded(): Promise<{ world: Bench; one: Owner; end: () => Promise<void> }> {
  const world = bench()
  Object.assign(world.books.capabilities, { batchMax: BATCH_MAX })
  const one = world.owner()
  const exchange = one.net.exchange.bind(one.net)
  one.net.exchange = async (batch) => {
    await new Promise<void>((resolve) => void world.clock.timer(EXCHANGE_MS, resolve))
    return exchange(batch)
  }
  const first = leased(one.vsa).admit()
  await world.clock.advance(FLUSH_MS / 2)
  await first
  let [asked, isOver] = [0, false]
  const cold = one.vsa.budgets('cold', { limit: 10, per: 'month' })
  const caller = async (): Promise<void> => {
    while (!isOver) await cold.of(String((asked += 1))).admit()
  }
  const callers = Promise.all(Array.from({ length: CALLERS }, caller))
  await world.clock.advance(FLUSH_MS)
  const end = async (): Promise<void> => {
    isOver = true
    await world.clock.advance(10 * FLUSH_MS)
    await callers
  }
  return { world, one, end }
}

function leased(vsa: Vsa): ReturnType<Vsa['budget']> {
  return vsa.budget('leased', { initial: 1_000, atRisk: 100 })
}

test('O8: what was spent from a lease is stored within some flush intervals, and a flush resolves', async () => {
  const { world, one, end } = await crowded()
  expect(leased(one.vsa).tryAdmit(5)).toBe(true)
  let isFlushed = false
  const flushing = one.vsa.flush().then(() => (isFlushed = true))
  await world.clock.advance(3 * FLUSH_MS)
  expect([isFlushed, (await world.row('leased')).used]).toEqual([true, 6])
  expect(one.vsa.stats().waiters).toBeGreaterThan(BATCH_MAX)
  await end()
  await flushing
})

test('O9: a durable admission from a lease is answered', async () => {
  const { world, one, end } = await crowded()
  let isAdmitted = false
  const admitting = leased(one.vsa)
    .admit(5, { durable: true })
    .then((admitted) => (isAdmitted = admitted))
  await world.clock.advance(3 * FLUSH_MS)
  expect(isAdmitted).toBe(true)
  await end()
  await admitting
})

test('a counter is stored', async () => {
  const { world, one, end } = await crowded()
  one.vsa.counter('hits').add(3)
  let value = 0
  const reading = one.vsa
    .counter('hits')
    .read()
    .then((read) => (value = read))
  await world.clock.advance(3 * FLUSH_MS)
  expect(value).toBe(3)
  await end()
  await reading
})

test('the requests go on while more rows have changed than one exchange carries', async () => {
  const { world, one, end } = await crowded()
  const before = one.vsa.stats().operations
  const counters = Array.from({ length: 100 }, (_, at) => one.vsa.counter(`hits ${at}`))
  const sent = one.batches.length
  for (let at = 0; at < 10; at += 1) {
    for (const counter of counters) counter.add(1)
    await world.clock.advance(FLUSH_MS)
  }
  const batches = one.batches.slice(sent)
  const withRequests = batches.filter(({ takes }) => takes.length > 0)
  expect(withRequests.length).toBeGreaterThan(batches.length / 3)
  expect(one.vsa.stats().operations - before - 1_000).toBeGreaterThan(BATCH_MAX)
  await end()
})
