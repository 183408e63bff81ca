import type { PoolClient } from 'pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Batch, Take } from '../../src/core/exchange.ts'
import type { ReservationChange } from '../../src/core/reservations/messages.ts'
import type { PostgresClient, PostgresPool } from '../../src/stores/postgres/index.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { dropSchemas, heldCommits, newPool, newSchema, reservedBy, storeOn, waiterOn } from './postgres-fixture.ts'
import { applied, batch, count, entry, initial } from './sqlite-fixture.ts'

const server = await postgresServer()
const pool = newPool('url' in server ? server.url : '', { max: 8 })

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

interface Message {
  /** `exchange_3`, or the last word. */
  readonly name: string
  statements: number
}

/** A pool that keeps what was sent. */
function counting(): { readonly pool: PostgresPool; readonly messages: Message[] } {
  const messages: Message[] = []
  const connect = async (): Promise<PostgresClient> => {
    const client = await pool.connect()
    const query = async (text: string): Promise<unknown> => {
      const message = {
        name: /\.exchange_3\(/.test(text) ? 'exchange_3' : (/\w+$/.exec(text)?.[0] ?? ''),
        statements: 1,
      }
      messages.push(message)
      const results: unknown = await client.query(text)
      if (Array.isArray(results)) message.statements = results.length
      return results
    }
    return { query, release: (destroy) => client.release(destroy) }
  }
  return { pool: { connect }, messages }
}

function reserving(id: string, units: number, ttlMs = 60_000): Take {
  return { need: [[0, units]], n: 1, remember: { id, as: 'reservation', ttlMs, onExpire: 'return' } }
}

function settling(id: string, units: number, key = 'seats'): ReservationChange {
  return { op: 'settle', key, id, units }
}

const plain: Take = { need: [[0, 3]], n: 1 }
const tomorrow = Date.now() + 86_400_000
const window = { ...initial, kind: 'window', endsAt: tomorrow, keepUntil: tomorrow } as const
const [earlierPeriod, laterPeriod] = [Date.now() - 120_000, Date.now() - 60_000] as const

let schema = ''
beforeEach(() => {
  schema = newSchema()
})

describe.skipIf('reason' in server)('reservations on Postgres', () => {
  it.each([
    ['a budget', []],
    ['a budget and a counter', [count('calls', 1)]],
  ] as const)(
    'R1, R7: with %s they take the messages of a plain batch, and one statement more',
    async (_what, more) => {
      const { pool: counted, messages } = counting()
      const store = storeOn(counted, { schema, fastPath: false })
      const joined = await store.join('test')
      const entries = [entry(), ...more]
      const statements: number[] = []
      for (const [at, take] of [plain, reserving('a', 3)].entries()) {
        messages.length = 0
        await store.exchange(batch(joined, at + 1, { entries, takes: [take] }))
        expect(messages.map(({ name }) => name)).toEqual(['answer', 'commit'])
        statements.push(messages[0]?.statements ?? 0)
      }
      expect(statements[1]).toBe((statements[0] ?? 0) + 1)
      messages.length = 0
      await store.exchange(batch(joined, 3, { changes: [settling('a', 2)] }))
      expect(messages.map(({ name }) => name)).toEqual(['answer', 'commit'])
    },
  )

  it('R1: of two processes that reserve under one id in two periods, the second waits, and is answered from the row', async () => {
    const holding = heldCommits(pool)
    const [first, second] = [storeOn(holding.pool, { schema }), storeOn(pool, { schema })]
    const [a, b] = [await first.join('a'), await second.join('b')]
    const take = reserving('r', 4)
    holding.hold()
    const won = first.exchange(
      batch(a, 1, { entries: [entry({ period: earlierPeriod, policy: window })], takes: [take] }),
    )
    await holding.isHeld
    const lost = second.exchange(
      batch(b, 1, { entries: [entry({ period: laterPeriod, policy: window })], takes: [take] }),
    )
    await waiterOn(pool, schema)
    holding.goOn()
    expect(applied(await won).granted).toEqual([1])
    const { granted, credits } = applied(await lost)
    expect([granted, credits?.takes[0]]).toMatchObject([[0], { kind: 'remembered', charged: [4], repeated: true }])
    expect((await store().list({ limit: 9 })).rows.map(({ budget }) => budget.reserved)).toEqual([4, 0])
  })

  it('R4: a reservation that is made while its settlement loads is found, with its rows locked', async () => {
    const [first, second] = [storeOn(pool, { schema }), storeOn(pool, { schema })]
    const [a, b] = [await first.join('a'), await second.join('b')]
    await first.exchange(batch(a, 1, { entries: [entry({ key: 'other' })] }))
    const holder = await pool.connect()
    await holder.query(`begin; select 1 from ${schema}.budget where key = 'other' for update`)
    const settled = second.exchange(batch(b, 1, { entries: [entry({ key: 'other' })], changes: [settling('r', 1)] }))
    await waiterOn(pool, schema)
    await first.exchange(batch(a, 2, { entries: [entry()], takes: [reserving('r', 4)] }))
    await holder.query('rollback')
    holder.release()
    expect(applied(await settled).credits?.changes).toEqual([
      { kind: 'settled', settled: 1, uncovered: 0, repeated: false },
    ])
    expect(await store().read([{ key: 'seats', period: 0 }])).toMatchObject([{ used: 1, reserved: 0, pool: 99 }])
  })

  it('R4: two settlements of a reservation whose row was removed: the second waits for the first, and repeats it', async () => {
    const holding = heldCommits(pool)
    const [first, second] = [storeOn(holding.pool, { schema }), storeOn(pool, { schema })]
    const [a, b] = [await first.join('a'), await second.join('b')]
    await first.exchange(batch(a, 1, { entries: [entry()], takes: [reserving('r', 4)] }))
    await pool.query(`delete from ${schema}.budget`)
    holding.hold()
    const won = first.exchange(batch(a, 2, { changes: [settling('r', 5)] }))
    await holding.isHeld
    const lost = second.exchange(batch(b, 1, { changes: [settling('r', 9)] }))
    await waiterOn(pool, schema)
    holding.goOn()
    const outcome = { kind: 'settled', settled: 4, uncovered: 1 }
    expect(applied(await won).credits?.changes).toEqual([{ ...outcome, repeated: false }])
    expect(applied(await lost).credits?.changes).toEqual([{ ...outcome, repeated: true }])
  })

  it('R3: a sweep ends what it can lock, waits for nothing, and leaves the rest for the next one', async () => {
    const swept = storeOn(pool, { schema, upkeepEveryMs: 0 })
    const joined = await swept.join('test')
    const entries = [entry({ key: 'a' }), entry({ key: 'b' })]
    const takes = [reserving('a', 3, 0), { ...reserving('b', 4, 0), need: [[1, 4]] as const }]
    await swept.exchange(batch(joined, 1, { entries, takes }))
    const reserved = async (): Promise<readonly number[]> =>
      (await swept.list({ limit: 9 })).rows.map(({ budget }) => budget.reserved)
    expect(await reserved()).toEqual([3, 4])
    const holder = await pool.connect()
    await holder.query(`begin; select 1 from ${schema}.budget where key = 'a' for update`)
    await swept.exchange(batch(joined, 2))
    expect(await reserved()).toEqual([3, 0])
    await holder.query('rollback')
    holder.release()
    await swept.exchange(batch(joined, 3))
    expect(await reserved()).toEqual([0, 0])
  })

  it('R2, L7: a row with reserved units stays on the fast path, and its answer has them', async () => {
    const { pool: counted, messages } = counting()
    const store = storeOn(counted, { schema })
    const joined = await store.join('test')
    await store.exchange(batch(joined, 1, { entries: [entry()], takes: [reserving('r', 4)] }))
    messages.length = 0
    const sent = batch(joined, 2, { entries: [entry({ hold: 10 }), entry({ key: 'b' })], takes: [plain] })
    const [seats, other] = applied(await store.exchange(sent)).entries
    expect(seats).toMatchObject({ minted: 100, used: 3, reserved: 4, held: 10, pool: 83 })
    expect(other).not.toHaveProperty('reserved')
    expect(messages.map(({ name }) => name)).toEqual(['exchange_3'])
  })

  it('P2: a row whose earlier one has a higher version is made by the general path, and the next ones are plain', async () => {
    const { pool: counted, messages } = counting()
    const store = storeOn(counted, { schema })
    const joined = await store.join('test')
    const policy = { ...window, limit: 70, version: 9 }
    await store.exchange(batch(joined, 1, { entries: [entry({ period: earlierPeriod, policy })] }))
    const later = (seq: number): Batch =>
      batch(joined, seq, { entries: [entry({ period: laterPeriod, policy: window })] })
    messages.length = 0
    expect(applied(await store.exchange(later(2))).entries).toMatchObject([{ minted: 70, limit: 70, version: 9 }])
    expect(applied(await store.exchange(later(3))).entries).toMatchObject([{ minted: 70, limit: 70, version: 9 }])
    expect(messages.map(({ name }) => name)).toEqual(['exchange_3', 'answer', 'commit', 'exchange_3'])
  })

  it('R3: the fast path says when a sweep is due', async () => {
    const store = storeOn(pool, { schema, upkeepEveryMs: 1 })
    const joined = await store.join('test')
    const sent = batch(joined, 1, { entries: [entry()], takes: [reserving('r', 4, 0)] })
    expect(applied(await store.exchange(sent)).entries).toMatchObject([{ reserved: 4 }])
    for (let seq = 2; ; seq += 1) {
      const [answer] = applied(await store.exchange(batch(joined, seq, { entries: [entry()] }))).entries
      if (answer?.kind === 'budget' && answer.reserved === undefined) break
    }
    const { rows } = await pool.query(`select * from (${reservedBy(schema)}) r where charged > 0`)
    expect(rows).toEqual([])
  })

  it('L8: reservations among 20,000 are found, settled and swept by indexes', async () => {
    const { pool: watched, scans } = scanning()
    const store = storeOn(watched, { schema, upkeepEveryMs: 0 })
    const joined = await store.join('test')
    await store.exchange(batch(joined, 1, { entries: [entry()], takes: [reserving('r', 4)] }))
    await pool.query(`
      insert into ${schema}.budget (key, period, kind, minted, pool) select 'row ' || n, 0, 'i', 10, 10 from generate_series(1, 20000) n;
      insert into ${schema}.counter select 'row ' || n, 0 from generate_series(1, 20000) n;
      insert into ${schema}.reservation select sha256(('row ' || n)::bytea), null, 'row ' || n, 'r', remembered_as, request, on_expire, lots,
        sweep_at + 3600000, source_keys, source_periods from ${schema}.reservation, generate_series(1, 20000) n;
      insert into ${schema}.intent (hash, key, id, op, units) select sha256('none'), 'none', 'r', 'mint', 1 from generate_series(1, 20) n;
      analyze ${schema}.budget; analyze ${schema}.counter; analyze ${schema}.reservation`)
    scans.length = 0
    await store.exchange(batch(joined, 2, { entries: [entry({ key: 'row 9' })], takes: [reserving('s', 4, 0)] }))
    await store.exchange(batch(joined, 3, { entries: [entry()], changes: [settling('r', 2)] }))
    await store.exchange(batch(joined, 4))
    expect(await store.read([{ key: 'row 9', period: 0 }])).toMatchObject([{ reserved: 0, pool: 10 }])
    expect(scans.filter((tables) => tables.length > 0)).toEqual([])
  })
})

function store(): ReturnType<typeof storeOn> {
  return storeOn(pool, { schema })
}

/** A pool that keeps the tables of which each transaction of two messages has read much. */
function scanning(): { readonly pool: PostgresPool; readonly scans: string[][] } {
  const scans: string[][] = []
  const scanned = async (client: PoolClient): Promise<string[]> => {
    const { rows } = await client.query<{ name: string }>(`select relname as name from pg_stat_xact_user_tables
      where schemaname = '${schema}' and (seq_scan > 0 or idx_tup_fetch > 100) and relname in ('budget', 'counter', 'reservation')`)
    return rows.map(({ name }) => name)
  }
  const connect = async (): Promise<PostgresClient> => {
    const client = await pool.connect()
    const query = async (text: string): Promise<unknown> => {
      const isLoad = text.includes('begin isolation')
      // What this connection has counted before and not told yet is not of this transaction.
      if (isLoad) await client.query('select pg_stat_force_next_flush()')
      const results: unknown = await client.query(text)
      if (isLoad) scans.push(await scanned(client))
      return results
    }
    return { query, release: (destroy) => client.release(destroy) }
  }
  return { pool: { connect }, scans }
}
