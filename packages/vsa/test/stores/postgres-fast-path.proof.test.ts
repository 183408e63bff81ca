import type { PoolClient } from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import type { Batch, Entry } from '../../src/core/exchange.ts'
import type { Joined } from '../../src/core/store.ts'
import type { PostgresClient, PostgresPool } from '../../src/stores/postgres/index.ts'
import { dropSchemas, newPool, newSchema, storeOn } from './postgres-fixture.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { applied, batch, count, entry, initial } from './sqlite-fixture.ts'

const server = await postgresServer()
const pool = newPool('url' in server ? server.url : '')

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

/** A pool that keeps the first word of every message, and whether it called the function. */
function counting(): { readonly pool: PostgresPool; readonly messages: string[] } {
  const messages: string[] = []
  const connect = async (): Promise<PostgresClient> => {
    const client = await pool.connect()
    return {
      query: (text) => {
        messages.push(/\.exchange_3\(/.test(text) ? 'exchange_3' : (/\w+$/.exec(text)?.[0] ?? ''))
        return client.query(text)
      },
      release: (destroy) => client.release(destroy),
    }
  }
  return { pool: { connect }, messages }
}

describe.skipIf('reason' in server)('the fast path of the Postgres store', () => {
  it('L7: a plain batch is one message to the server, and two without the fast path', async () => {
    const { pool: counted, messages } = counting()
    for (const [fastPath, expected] of [
      [true, ['exchange_3']],
      [false, ['answer', 'commit']],
    ] as const) {
      const store = storeOn(counted, { schema: newSchema(), fastPath })
      const joined = await store.join('test')
      messages.length = 0
      const takes = [{ need: [[0, 1]] as const, n: 3 }]
      const first = await store.exchange(batch(joined, 1, { entries: [entry({ hold: 10 }), count('calls', 1)], takes }))
      expect(applied(first)).toMatchObject({ granted: [3], entries: [{ held: 10, used: 3, pool: 87 }, { value: 1 }] })
      expect(messages).toEqual(expected)
    }
  })

  const rare: readonly (readonly [what: string, content: Partial<Batch>, answer: object])[] = [
    [
      'a mint',
      { entries: [entry({ mint: { id: 'order 1', units: 5 } })] },
      { entries: [{ minted: 105, mint: 'minted' }] },
    ],
    ['a close', { close: true }, { kind: 'applied' }],
    ['a row that was lost', { entries: [entry({ key: 'gone', known: true })] }, { entries: [{ kind: 'row_lost' }] }],
    [
      'a period that is over',
      { entries: [entry({ policy: { ...initial, kind: 'window', endsAt: 1, keepUntil: 2 } })] },
      { entries: [{ kind: 'period_closed' }] },
    ],
    ['a row that does not balance', { entries: [entry({ spent: 1 })] }, { kind: 'breach', row: { key: 'seats' } }],
    ['an amount that is none', { entries: [entry({ refund: 0.5 })] }, { kind: 'breach', row: { key: 'seats' } }],
    [
      'a counter that would leave the integers',
      { entries: [count('calls', 1), count('big', Number.MAX_SAFE_INTEGER)] },
      { entries: [{ value: 2 }, { value: 5, overflow: true }] },
    ],
  ]
  it.each(rare)('%s is left to the general path, and nothing is written before it', async (_what, content, answer) => {
    const { pool: counted, messages } = counting()
    const store = storeOn(counted, { schema: newSchema() })
    const joined = await store.join('test')
    await store.exchange(batch(joined, 1, { entries: [count('calls', 1), count('big', 5)] }))
    messages.length = 0
    expect(await store.exchange(batch(joined, 2, content))).toMatchObject(answer)
    expect(messages.slice(-2)).toEqual(['answer', expect.stringMatching(/commit|rollback/)])
  })

  it('S8: the lease of an ended epoch on a row of the batch is burned, by the general path', async () => {
    const { pool: counted, messages } = counting()
    const schema = newSchema()
    const store = storeOn(counted, { schema })
    const [ended, joined] = [await store.join('ended'), await store.join('test')]
    await store.exchange(batch(ended, 1, { entries: [entry({ hold: 10 })] }))
    await pool.query(`update ${schema}.owner set is_open = false, burning = true where epoch = $1`, [ended.epoch])
    messages.length = 0
    const sent = (seq: number): Batch => batch(joined, seq, { entries: [entry({ hold: 10 })] })
    expect(applied(await store.exchange(sent(1))).entries).toMatchObject([{ held: 0, burned: 10, pool: 90, others: 0 }])
    expect(messages).toEqual(['exchange_3', 'answer', 'commit'])
    messages.length = 0
    expect(applied(await store.exchange(sent(2))).entries).toMatchObject([{ held: 0, burned: 10, pool: 90, others: 0 }])
    expect(messages).toEqual(['exchange_3'])
  })

  it('S1: while store time is ahead of the clock, or leaps, the general path decides', async () => {
    const { pool: counted, messages } = counting()
    const schema = newSchema()
    const store = storeOn(counted, { schema })
    const joined = await store.join('test')
    const exchanged = async (seq: number): Promise<number> => applied(await store.exchange(batch(joined, seq))).time
    const now = await exchanged(1)
    for (const [seq, ms, first] of [
      [2, now + 60_000, []],
      // F4: so much time has passed that a standby is looked for.
      [3, now - 7_200_000, ['answer']],
    ] as const) {
      await pool.query(`update ${schema}.store set time_seen = $1; `, [ms])
      await pool.query(`update ${schema}.owner set seen_at = $1`, [ms])
      messages.length = 0
      expect(await exchanged(seq)).toBeGreaterThanOrEqual(ms)
      expect(messages).toEqual([...first, 'exchange_3', 'answer', 'commit'])
    }
  })

  it('L7, S8: no upkeep while the fast path finds nothing to do, and one once an owner has expired', async () => {
    const { pool: counted, messages } = counting()
    const schema = newSchema()
    const store = storeOn(counted, { schema, upkeepEveryMs: 1 })
    const [other, joined] = [await store.join('other'), await store.join('test')]
    await store.exchange(batch(other, 1, { entries: [entry({ hold: 10 })] }))
    const untilUpkeepIsDue = (): void => {
      const fromMs = performance.now()
      while (performance.now() < fromMs + 2);
    }
    const sent = (seq: number): Batch => batch(joined, seq, { entries: [entry()] })
    messages.length = 0
    for (let seq = 1; seq <= 5; seq += 1) {
      await store.exchange(sent(seq))
      untilUpkeepIsDue()
    }
    expect(messages).toEqual(Array.from({ length: 5 }, () => 'exchange_3'))
    await pool.query(`update ${schema}.owner set expires_at = 0 where epoch = $1`, [other.epoch])
    await store.exchange(sent(6))
    untilUpkeepIsDue()
    expect(applied(await store.exchange(sent(7))).entries).toMatchObject([{ burned: 10, others: 0 }])
  })

  it('S4, S10: a row whose period ended while the exchange waited for its locks is not made', async () => {
    const schema = newSchema()
    const store = storeOn(pool, { schema })
    const joined = await store.join('test')
    const endsAt = Date.now()
    // The first look at the clock is before the row is made, and the next ones are behind the locks.
    await pool.query(`
      create sequence ${schema}.looks;
      create or replace function ${schema}.clock_ms() returns bigint language sql volatile as
        'select case nextval(''${schema}.looks'') when 1 then ${endsAt} else ${endsAt + 60_001} end'`)
    const policy = { ...initial, kind: 'window', endsAt, keepUntil: endsAt } as const
    const answer = await store.exchange(batch(joined, 1, { entries: [entry({ period: endsAt - 60_000, policy })] }))
    expect(applied(answer).entries).toEqual([{ kind: 'period_closed' }])
    expect((await store.list({ limit: 10 })).rows).toEqual([])
  })

  it('S7: a commit is durable, whatever the role asks for', async () => {
    const schema = newSchema()
    const url = 'url' in server ? server.url : ''
    const careless = newPool(url, { options: '-c synchronous_commit=off', max: 1 })
    const store = storeOn(careless, { schema })
    const joined = await store.join('test')
    await pool.query(`
      create table ${schema}.seen (setting text);
      create function ${schema}.see() returns trigger language plpgsql as
        $$ begin insert into ${schema}.seen values (current_setting('synchronous_commit')); return new; end $$;
      create trigger see after update on ${schema}.owner for each row execute function ${schema}.see()`)
    await store.exchange(batch(joined, 1))
    expect((await pool.query(`select setting from ${schema}.seen`)).rows).toEqual([{ setting: 'on' }])
    await store.close()
    await careless.end()
  })

  it('L8: its plans read no table as a whole, also when the tables were empty at first', async () => {
    let scans = 0
    const scansOf = async (client: PoolClient): Promise<number> => {
      const { rows } = await client.query<{ scans: number }>(
        `select sum(seq_scan)::int scans from pg_stat_xact_user_tables where relname in ('budget', 'lease', 'counter')`,
      )
      return rows[0]?.scans ?? Number.NaN
    }
    const connect = async (): Promise<PostgresClient> => {
      const client = await pool.connect()
      const query = async (text: string): Promise<unknown> => {
        if (!text.includes('.exchange_3(')) return client.query(text)
        await client.query('begin')
        const before = await scansOf(client)
        const answer = await client.query(text)
        scans += (await scansOf(client)) - before
        await client.query('commit')
        return answer
      }
      return { query, release: (destroy) => client.release(destroy) }
    }
    const store = storeOn({ connect }, { schema: newSchema() })
    const joined: Joined = await store.join('test')
    const entries = (hold: number): Entry[] =>
      Array.from({ length: 1_000 }, (_, index) =>
        index < 900 ? entry({ key: `${index}`, hold }) : count(`${index}`, 1),
      )
    await store.exchange(batch(joined, 1, { entries: entries(1) }))
    // The first call shows the scans that built the indexes, too.
    scans = 0
    for (let seq = 2; seq <= 4; seq += 1) await store.exchange(batch(joined, seq, { entries: entries(seq) }))
    expect(scans).toBe(0)
  })
})
