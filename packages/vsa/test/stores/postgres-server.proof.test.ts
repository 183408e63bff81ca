import { describe, expect, it, onTestFinished } from 'vitest'
import { entry, applied, batch, fault } from './sqlite-fixture.ts'
import { newPool, newSchema, poolOn, storeOn } from './postgres-fixture.ts'
import { pgBouncer } from '../../../../servers/src/pgbouncer.ts'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { postgresServer, type ServerSettings } from '../../../../servers/src/postgres.ts'
import { seededRandom, wholeBetween } from '../../src/testing/random.ts'
import type { BudgetEntry } from '../../src/core/exchange.ts'
import type { Store } from '../../src/core/store.ts'

/** A server for one test; the test is skipped where there is none. */
async function serverFor(skip: (reason: string) => void, settings?: ServerSettings): Promise<string> {
  const server = await postgresServer(settings)
  if ('reason' in server) skip(server.reason)
  else onTestFinished(() => server.stop())
  return 'url' in server ? server.url : ''
}

describe('a server that must not be used', () => {
  it('L1: fsync=off is refused', async ({ skip }) => {
    const store = storeOn(poolOn(await serverFor(skip, { options: ['fsync=off'] })))
    await expect(store.join('test')).rejects.toMatchObject(fault('store_unsafe'))
    await expect(store.join('test')).rejects.toThrow('Set fsync=on')
  })

  it('L1: a standby is refused', async ({ skip }) => {
    const store = storeOn(poolOn(await serverFor(skip, { isStandby: true })))
    await expect(store.join('test')).rejects.toMatchObject(fault('store_unsafe'))
    await expect(store.join('test')).rejects.toThrow('standby')
  })
})

it('a row that is locked for longer than lock_timeout: store_busy, surely not applied', async ({ skip }) => {
  const url = await serverFor(skip)
  const [pool, schema] = [poolOn(url), newSchema()]
  const store = storeOn(pool, { schema })
  const joined = await store.join('test')
  await store.exchange(batch(joined, 1, { entries: [entry()] }))
  const holder = await pool.connect()
  await holder.query(`begin; select 1 from ${schema}.budget for update`)
  const sent = batch(joined, 2, { entries: [entry()] })
  await expect(store.exchange(sent)).rejects.toMatchObject(fault('store_busy', { transient: true }))
  await holder.query('rollback')
  holder.release()
  expect(applied(await store.exchange(sent)).entries).toHaveLength(1)
})

const OWNERS = 16
const ROUNDS = 40
const ROWS = 12

it('L1, L2: 16 owners on overlapping rows, with closes and upkeep, never wait in a circle', async ({ skip }) => {
  // One of its own, whose statistics are of this test.
  const url = await serverFor(skip, {})
  const [pool, schema] = [poolOn(url, { max: 2 * OWNERS }), newSchema()]
  const stores = Array.from({ length: OWNERS }, () => storeOn(pool, { schema, upkeepEveryMs: 0, leaseTtlMs: 60_000 }))
  await Promise.all(stores.map((store, number) => rounds(store, number + 1)))
  const { rows } = await pool.query(`
    select b.key from ${schema}.budget b
    left join (select key, period, sum(held) held, count(*) owners from ${schema}.lease group by 1, 2) l using (key, period)
    where b.kind = 's' or b.leased <> coalesce(l.held, 0) or b.lessees <> coalesce(l.owners, 0)`)
  expect(rows).toEqual([])
  const deadlocks = await pool.query(`select deadlocks::int from pg_stat_database where datname = current_database()`)
  expect(deadlocks.rows).toEqual([{ deadlocks: 0 }])
})

/** Batches of random rows in random order, each sent twice at once; every eighth closes the epoch. */
async function rounds(store: Store, seed: number): Promise<void> {
  const random = seededRandom(seed)
  let [joined, seq] = [await store.join('test'), 0]
  for (let round = 0; round < ROUNDS; round += 1) {
    const keys = new Set(Array.from({ length: 6 }, () => `row ${wholeBetween(random, 0, ROWS - 1)}`))
    const entries: BudgetEntry[] = [...keys].map((key) => entry({ key, hold: wholeBetween(random, 0, 3) }))
    const close = round % 8 === 7
    const sent = batch(joined, (seq += 1), { entries, close })
    const kinds = (await Promise.all([store.exchange(sent), store.exchange(sent)])).map(({ kind }) => kind)
    expect(kinds.toSorted()).toEqual(close ? ['applied', 'fenced'] : ['applied', 'replayed'])
    if (close) [joined, seq] = [await store.join('test'), 0]
  }
}

describe.each([true, false])('through PgBouncer in transaction mode (fast path: %s)', (fastPath) => {
  it('L1: with 3 connections for 8 engines, a budget is admitted to the unit', async ({ skip }) => {
    const url = await serverFor(skip)
    const bouncer = await pgBouncer(url, 3)
    if ('reason' in bouncer) return skip(bouncer.reason)
    onTestFinished(() => bouncer.stop())
    const schema = newSchema()
    const pools = Array.from({ length: 8 }, () => newPool(bouncer.url, { max: 2 }))
    const engines = pools.map((pool) => open({ store: postgres(pool, { schema, fastPath }) }))
    const admitted = await Promise.all(
      engines.map(async (engine) => {
        const [leased, durable] = [
          engine.budget('leased', { initial: 3_000, atRisk: 50 }),
          engine.budget('durable', { initial: 500 }),
        ]
        const asked = [
          ...Array.from({ length: 500 }, () => leased.admit()),
          ...Array.from({ length: 100 }, () => durable.admit()),
        ]
        engine.counter('calls').add(asked.length)
        return (await Promise.all(asked)).filter(Boolean).length
      }),
    )
    expect(admitted.reduce((sum, units) => sum + units, 0)).toBe(3_500)
    for (const engine of engines) await engine.close()
    const names = ['leased', 'durable'].map((key) => ({ key, period: 0 }))
    const rows = await storeOn(poolOn(url), { schema }).read(names)
    expect(rows).toMatchObject([
      { used: 3_000, pool: 0, burned: 0 },
      { used: 500, pool: 0, burned: 0 },
    ])
    await Promise.all(pools.map((pool) => pool.end()))
  })
})
