import { describe, expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { IdleUpkeep } from '../../src/engine/session/idle-upkeep.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, type FaultyStore, manualClock, type ManualClock } from '../../src/testing/index.ts'
import type { OpenOptions, Vsa } from '../../src/index.ts'

const MINUTE_MS = 60_000
const SECONDLY = { limit: 100, per: 'second', atRisk: 10 } as const

interface Process {
  readonly clock: ManualClock
  readonly net: FaultyStore
  readonly vsa: Vsa
  rows(): Promise<number>
}

function start(
  options: Partial<OpenOptions> = {},
  clock = manualClock(),
  books = memory({ now: () => clock.now() }),
): Process {
  const net = faultyStore(books, { clock })
  const vsa = open({ store: net, clock, random: () => 0.5, ...options })
  return { clock, net, vsa, rows: async () => (await books.list({ limit: 10_000 })).rows.length }
}

/** Makes `perSecond` rows in each of `seconds` windows of one second. */
async function makeRows({ clock, vsa }: Process, seconds: number, perSecond: number): Promise<void> {
  const family = vsa.budgets('calls', SECONDLY)
  for (let second = 0; second < seconds; second += 1) {
    await Promise.all(Array.from({ length: perSecond }, (_, id) => family.of(`${id}`).admit()))
    await clock.advance(1_000)
  }
}

describe('rows past their retention go although their process is quiet', () => {
  test('S10: a process that made 5,000 rows and falls silent removes them when they are due, with no exchange', async () => {
    const process = start()
    await makeRows(process, 5, 1_000)
    const made = await process.rows()
    expect(made).toBeGreaterThanOrEqual(5_000)
    await process.clock.advance(MINUTE_MS)
    const calls = process.net.calls.exchange
    expect(await process.rows()).toBe(made)
    await process.clock.advance(2 * MINUTE_MS)
    expect(await process.rows()).toBe(0)
    expect(process.net.calls.exchange).toBe(calls)
    // Then nothing is due, and there is no timer.
    const upkeeps = process.net.calls.upkeep
    await process.clock.advance(60 * MINUTE_MS)
    expect(process.net.calls.upkeep).toBe(upkeeps)
    expect(process.clock.timers).toBe(0)
  })

  test('R3, O6: a reservation ends in time although its process is silent, and there is no timer afterwards', async () => {
    const process = start()
    const credits = process.vsa.budget('credits', { initial: 100 })
    await credits.reserve(60, { id: 'call', ttlMs: MINUTE_MS, onExpire: 'return' })
    const calls = process.net.calls.exchange
    await process.clock.advance(MINUTE_MS + 5_000)
    expect(await credits.peek()).toMatchObject({ reserved: 0, remaining: 100 })
    expect(process.net.calls.exchange).toBe(calls)
    expect(process.clock.timers).toBe(0)
  })

  test('R3, S10: 3,000 reservations end in short sweeps within a second, also while exchanges are sent', async () => {
    const process = start()
    const credits = process.vsa.budget('credits', { initial: 3_000 })
    const reserve = (id: number) => credits.reserve(1, { id: `call ${id}`, ttlMs: MINUTE_MS, onExpire: 'return' })
    await Promise.all(Array.from({ length: 3_000 }, (_, id) => reserve(id)))
    await process.clock.advance(MINUTE_MS - 100)
    const other = process.vsa.budget('other', { initial: 1_000 })
    const used: number[] = []
    for (let turn = 0; turn < 12; turn += 1) {
      await other.admit(1, { durable: true })
      await process.clock.advance(100)
      used.push((await credits.peek()).reserved)
    }
    expect(used[0]).toBe(3_000)
    expect(used.at(-1)).toBe(0)
    // Not more at once than an exchange can wait for: 100 in each call.
    expect(process.net.calls.upkeep).toBeGreaterThanOrEqual(15)
    // What is left is due in a week: no call besides the exchanges, and one timer.
    const upkeeps = process.net.calls.upkeep
    for (let turn = 0; turn < 50; turn += 1) {
      await other.admit(1, { durable: true })
      await process.clock.advance(100)
    }
    expect(process.net.calls.upkeep).toBe(upkeeps)
  })

  test('S10, O6: a process that only keeps its lease alive removes them as well', async () => {
    const process = start({ flushIntervalMs: MINUTE_MS })
    await process.vsa.budget('held', { limit: 1_000_000, per: 'month' }).admit()
    await makeRows(process, 5, 1_000)
    await process.clock.advance(2 * MINUTE_MS + 10_000)
    expect(process.vsa.stats().leasedUnits).toBeGreaterThan(0)
    expect(await process.rows()).toBe(1)
  })

  test('S10: a restarted process removes what its predecessor left, in slices, and goes on without a request', async () => {
    const clock = manualClock()
    const books = memory({ now: () => clock.now() })
    const dead = start({}, clock, books)
    await makeRows(dead, 4, 1_000)
    dead.net.cut('hang')
    await clock.advance(3 * MINUTE_MS)
    const young = start({}, clock, books)
    await young.vsa.ready()
    const left = await young.rows()
    expect(left).toBeGreaterThan(2_000)
    await clock.advance(5_000)
    expect(await young.rows()).toBe(0)
    expect(young.net.calls.exchange).toBe(0)
  })

  test('S10: while exchanges are sent, there are no calls besides', async () => {
    const process = start()
    for (let second = 0; second < 180; second += 1) {
      const budget = process.vsa.budget('calls', SECONDLY)
      for (let turn = 0; turn < 10; turn += 1) {
        await budget.admit(1, { durable: true })
        await process.clock.advance(100)
      }
    }
    expect(process.net.calls.upkeep).toBe(0)
    expect(await process.rows()).toBeLessThan(125)
  })

  test('S10: upkeep that fails or is not answered is called again, and keeps nothing else waiting', async () => {
    const process = start()
    await makeRows(process, 1, 300)
    process.net.inject('upkeep', { kind: 'refused' })
    process.net.inject('upkeep', { kind: 'lost_answer' })
    await process.clock.advance(2 * MINUTE_MS + 1_000)
    expect(await process.rows()).toBe(300)
    expect(await process.vsa.budget('seats', { initial: 1 }).admit()).toBe(true)
    await process.clock.advance(30_000)
    expect(await process.rows()).toBe(1)
  })

  test('O6, O13: rows that are kept for 400 days set no timer, and a closed engine has none', async () => {
    const process = start()
    const monthly = process.vsa.budget('calls', { limit: 100, per: 'month', atRisk: 0 })
    await monthly.admit()
    await process.clock.advance(1_000)
    expect(process.clock.timers).toBe(0)
    await process.vsa.budget('short', SECONDLY).admit()
    await process.clock.advance(5_000)
    expect(process.clock.timers).toBe(1)
    await process.vsa.close()
    expect(process.clock.timers).toBe(0)
    await process.clock.advance(10 * MINUTE_MS)
    expect(process.net.calls.upkeep).toBe(0)
  })
})

test('S8, O6: a durable owner that is asked once a minute keeps its epoch, while others use the store', async () => {
  const clock = manualClock()
  const books = memory({ now: () => clock.now() })
  const [rare, busy] = [start({}, clock, books), start({}, clock, books)]
  const seats = rare.vsa.budget('seats', { initial: 100 })
  for (let minute = 0; minute < 10; minute += 1) {
    expect(await seats.admit()).toBe(true)
    for (let second = 0; second < 60; second += 1) {
      await busy.vsa.budget('calls', { limit: 1_000_000, per: 'month' }).admit()
      await clock.advance(1_000)
    }
  }
  expect(rare.net.calls.join).toBe(1)
  expect(rare.net.calls.exchange).toBe(10)
})

test('S10: while one call of upkeep is under way, none begins beside it, and what was due meanwhile is done after it', async () => {
  const clock = manualClock()
  let calls = 0
  let end: (dueInMs: number | null) => void = () => undefined
  const upkeep = new IdleUpkeep({
    store: {
      ...memory({ now: () => clock.now() }),
      upkeep: () => {
        calls += 1
        return new Promise((resolve) => (end = resolve))
      },
    },
    clock,
    flushIntervalMs: 100,
    exchangeTimeoutMs: 5_000,
    caller: () => ({ epoch: 1, token: 't', seq: 0 }),
    heardAtMs: () => 0,
  })
  upkeep.due(1_000)
  await clock.advance(1_000)
  upkeep.due(0)
  await clock.advance(1_000)
  expect(calls).toBe(1)
  end(null)
  await clock.advance(1_000)
  expect(calls).toBe(2)
  upkeep.end()
})
