import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { AppliedAnswer, Batch, Take } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import type { OnExpire } from '../../src/core/reservations/messages.ts'
import { PostgresAdapter } from '../../src/stores/postgres/adapter.ts'
import { insertIntent } from '../../src/stores/postgres/intents.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { ADAPTER_SETTINGS, dropSchemas, newPool, newSchema, reservedBy, storeOn, waiterOn } from './postgres-fixture.ts'
import { applied, batch, count, entry } from './sqlite-fixture.ts'

const server = await postgresServer()
const pool = newPool('url' in server ? server.url : '', { max: 8 })

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

let schema = ''
let store: Store
/** Does no upkeep. */
let calm: Store
let joined: Joined
let seq = 0
beforeEach(async () => {
  if ('reason' in server) return
  schema = newSchema()
  store = storeOn(pool, { schema, upkeepEveryMs: 0 })
  calm = storeOn(pool, { schema })
  await calm.join('calm')
  joined = await store.join('test')
  seq = 0
})

async function exchange(parts: Partial<Batch> = {}): Promise<AppliedAnswer> {
  return applied(await store.exchange(batch(joined, (seq += 1), parts)))
}

function reserving(id: string, need: Take['need'], ttlMs = 3_600_000, onExpire: OnExpire = 'return'): Take {
  return { need, n: 1, remember: { id, as: 'reservation', ttlMs, onExpire } }
}

/** As `db.executeSql` of the user does it, in a transaction of the user. */
async function insert(
  intent: Parameters<typeof insertIntent>[1],
  db: Pick<typeof pool, 'query'> = pool,
): Promise<void> {
  const { text, values } = insertIntent(schema, intent)
  await db.query(text, [...values])
}

function settling(id: string, units: number, key = 'seats'): Parameters<typeof insertIntent>[1] {
  return { op: 'settle', key, id, units }
}

async function figures(key = 'seats'): Promise<object | undefined> {
  const [row] = await store.read([{ key, period: 0 }])
  return row && { minted: row.minted, reserved: row.reserved, used: row.used, pool: row.pool }
}

async function waiting(): Promise<number> {
  return (await pool.query(`select from ${schema}.intent`)).rowCount ?? -1
}

describe.skipIf('reason' in server)('intents on Postgres (T1)', () => {
  it('T1: a settlement counts when the transaction of the user has been committed, and not when it was rolled back', async () => {
    await exchange({ entries: [entry()], takes: [reserving('a', [[0, 4]]), reserving('b', [[0, 5]])] })
    for (const [id, end] of [
      ['a', 'rollback'],
      ['b', 'commit'],
    ] as const) {
      const user = await pool.connect()
      await user.query('begin')
      await insert(settling(id, 3), user)
      await exchange()
      expect(await figures()).toEqual({ minted: 100, reserved: 9, used: 0, pool: 91 })
      await user.query(end)
      user.release()
    }
    await exchange()
    expect([await figures(), await waiting()]).toEqual([{ minted: 100, reserved: 4, used: 3, pool: 93 }, 0])
  })

  it('T1 18, R3: it counts before the end of its reservation: by a batch that names it, and by upkeep', async () => {
    await exchange({ entries: [entry()], takes: [reserving('a', [[0, 4]], 0), reserving('b', [[0, 5]], 0)] })
    await insert(settling('a', 3))
    await insert(settling('b', 5))
    const change = { op: 'settle', key: 'seats', id: 'a', units: 1 } as const
    const answer = applied(await calm.exchange(batch(joined, (seq += 1), { changes: [change] })))
    expect(answer.credits?.changes).toEqual([{ kind: 'settled', settled: 3, uncovered: 0, repeated: true }])
    expect(await figures()).toEqual({ minted: 100, reserved: 5, used: 3, pool: 92 })
    await exchange()
    expect([await figures(), await waiting()]).toEqual([{ minted: 100, reserved: 0, used: 8, pool: 92 }, 0])
  })

  it('T1 19: one that is committed before the time of the transaction is read comes before the end', async () => {
    await exchange({ entries: [entry()], takes: [reserving('a', [[0, 4]], 0)] })
    // The clock is read once a lock is there: what is committed until then was in time.
    await pool.query(`create or replace function ${schema}.clock_ms() returns bigint language sql volatile as
      'select pg_advisory_xact_lock_shared(7); select floor(extract(epoch from clock_timestamp()) * 1000)::bigint'`)
    const holder = await pool.connect()
    await holder.query('select pg_advisory_lock(7)')
    const change = { op: 'settle', key: 'seats', id: 'a', units: 1 } as const
    const settled = calm.exchange(batch(joined, (seq += 1), { changes: [change] }))
    await waiterOn(pool, schema)
    await insert(settling('a', 3))
    await holder.query('select pg_advisory_unlock(7)')
    holder.release()
    expect(applied(await settled).credits?.changes).toMatchObject([{ settled: 3, repeated: true }])
  })

  it('T1 20: several under one name wait for no other transaction; the first number counts, and all are removed', async () => {
    await exchange({ entries: [entry()], takes: [reserving('a', [[0, 4]])] })
    const users = [await pool.connect(), await pool.connect()] as const
    for (const [at, user] of users.entries()) {
      await user.query('begin')
      await insert(settling('a', 3 - at), user)
    }
    for (const user of users.toReversed()) {
      await user.query('commit')
      user.release()
    }
    await exchange()
    expect([await figures(), await waiting()]).toEqual([{ minted: 100, reserved: 0, used: 3, pool: 97 }, 0])
  })

  it('T1 21: one for an id that is unknown is removed by upkeep, and settles nothing that is made under it later', async () => {
    await insert(settling('a', 3))
    await exchange()
    expect(await waiting()).toBe(0)
    await insert(settling('a', 3))
    const parts = { entries: [entry()], takes: [reserving('a', [[0, 4]])] }
    expect(applied(await calm.exchange(batch(joined, (seq += 1), parts))).granted).toEqual([1])
    expect([await figures(), await waiting()]).toEqual([{ minted: 100, reserved: 4, used: 0, pool: 96 }, 0])
  })

  it('T1 21: several processes that remove the same ones at once tell of each once', async () => {
    await exchange({ entries: [entry()], takes: [reserving('r', [[0, 4]])] })
    const told: string[] = []
    const stores = Array.from({ length: 4 }, () => storeOn(pool, { schema, upkeepEveryMs: 0 }))
    const callers = await Promise.all(stores.map((one) => one.join('sweeper')))
    for (const one of stores) one.intents?.onDropped?.(({ id, reason }) => told.push(`${id} ${reason}`))
    const ids = Array.from({ length: 40 }, (_, at) => `gone ${at}`)
    for (const id of ids) await insert(settling(id, 1))
    await insert(settling('r', 3))
    await Promise.all(stores.map(async (one, at) => one.upkeep?.({ ...(callers[at] ?? joined), seq: 0 })))
    expect(await waiting()).toBe(0)
    expect(told.toSorted()).toEqual(ids.map((id) => `${id} unknown_id`).toSorted())
    expect(await figures()).toEqual({ minted: 100, reserved: 0, used: 3, pool: 97 })
  })

  it('V3: it names a waterfall by any of its budgets', async () => {
    const entries = [entry({ key: 'a' }), entry({ key: 'b' }), count('over', 0)]
    const need = [0, 1, 2].map((at) => [at, 230] as const)
    await exchange({ entries, takes: [{ ...reserving('w', need), first: true }] })
    await insert(settling('w', 120, 'b'))
    const change = { op: 'settle', key: 'a', id: 'w', units: 1 } as const
    const answer = applied(await calm.exchange(batch(joined, (seq += 1), { changes: [change] })))
    expect(answer.credits?.changes).toMatchObject([{ settled: 120, repeated: true }])
    expect([await figures('a'), await figures('b')]).toMatchObject([{ used: 100 }, { used: 20, pool: 80 }])
    expect((await pool.query(`select value::int from ${schema}.counter`)).rows).toEqual([{ value: 0 }])
  })

  it('L3, T1 22: a mint waits for its row, counts once under its id, and goes to the latest period that has begun', async () => {
    await insert({ op: 'mint', key: 'seats', id: 'order 1', units: 5 })
    await exchange()
    expect(await waiting()).toBe(1)
    await exchange({ entries: [entry()] })
    await insert({ op: 'mint', key: 'seats', id: 'order 1', units: 5 })
    await insert({ op: 'mint', key: 'seats', id: 'order 1', units: 6 })
    await exchange()
    expect([await figures(), await waiting()]).toEqual([{ minted: 105, reserved: 0, used: 0, pool: 105 }, 0])
    const { entries } = await exchange({ entries: [entry({ mint: { id: 'order 1', units: 5 } })] })
    expect(entries).toMatchObject([{ minted: 105, mint: 'repeated' }])
    const now = Date.now()
    const endsAt = now + 3_600_000
    const policy = { kind: 'window', limit: 10, burnMax: 5, version: 1, endsAt, keepUntil: endsAt } as const
    const periods = [now - 2_000, now - 1_000, now + 50_000]
    await exchange({ entries: periods.map((period) => entry({ key: 'w', period, policy })) })
    await insert({ op: 'mint', key: 'w', id: 'x', units: 5 })
    await exchange()
    expect((await store.list({ key: 'w', limit: 9 })).rows.map(({ budget }) => budget.minted)).toEqual([10, 15, 10])
  })

  it('L7, T1: the fast path says when an intent is there, and not while a mint waits for its row', async () => {
    const paced = storeOn(pool, { schema, upkeepEveryMs: 1 })
    await exchange({ entries: [entry()], takes: [reserving('a', [[0, 4]])] })
    await insert(settling('a', 3))
    await insert({ op: 'mint', key: 'none', id: 'x', units: 5 })
    while ((await waiting()) > 1) applied(await paced.exchange(batch(joined, (seq += 1), { entries: [entry()] })))
    expect(await figures()).toEqual({ minted: 100, reserved: 0, used: 3, pool: 97 })
    const own = new PostgresAdapter(pool, { schema, ...ADAPTER_SETTINGS })
    await (await own.loadJoin()).release()
    const exchanged = await own.exchangePlain(batch(joined, (seq += 1), { entries: [entry()] }))
    expect(exchanged).toMatchObject({ isUpkeepDue: false })
    await own.close()
  })

  it('T1, L1, L2: users and owners that settle the same ids at once get one outcome for each, and the books balance', async () => {
    const ids = Array.from({ length: 30 }, (_, at) => `id ${at}`)
    const takes = ids.map((id, at) => reserving(id, [[0, 3]], at % 3 === 0 ? 0 : 60_000, 'capture'))
    await exchange({ entries: [entry()], takes })
    const owners = await Promise.all(
      Array.from({ length: 4 }, async (_, at) => {
        const own = storeOn(pool, { schema, upkeepEveryMs: 1 })
        return { own, as: await own.join(`owner ${at}`) }
      }),
    )
    const work = owners.map(async ({ own, as }, at) => {
      for (const [index, id] of ids.entries()) {
        if (at % 2 === 0) await insert(settling(id, 1))
        const change = { op: 'settle', key: 'seats', id, units: 2 } as const
        applied(await own.exchange(batch(as, index + 1, { changes: [change], entries: at === 1 ? [entry()] : [] })))
      }
    })
    await Promise.all(work)
    await exchange()
    const changes = ids.map((id) => ({ op: 'settle', key: 'seats', id, units: 3 }) as const)
    const settled = (await exchange({ changes })).credits?.changes ?? []
    const used = settled.reduce((sum, change) => sum + (change.kind === 'settled' ? change.settled : Number.NaN), 0)
    expect(settled.every((change) => change.kind === 'settled' && change.repeated)).toBe(true)
    expect([await figures(), await waiting()]).toEqual([{ minted: 100, reserved: 0, used, pool: 100 - used }, 0])
    expect((await pool.query(`select * from (${reservedBy(schema)}) r where charged > 0`)).rows).toEqual([])
  })
})
