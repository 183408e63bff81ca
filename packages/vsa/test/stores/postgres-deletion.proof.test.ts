import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Batch, EntryAnswer, Take } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { verify } from '../../src/cli/verify.ts'
import type { PostgresClient, PostgresPool } from '../../src/stores/postgres/index.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { addressOn } from '../cli/store-fixture.ts'
import { dropSchemas, heldCommits, newPool, newSchema, signal, storeOn, waiterOn } from './postgres-fixture.ts'
import { applied, batch, entry } from './sqlite-fixture.ts'

const server = await postgresServer()
const url = 'url' in server ? server.url : ''
const pool = newPool(url, { max: 8 })

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

let schema = ''
beforeEach(() => {
  schema = newSchema()
})

const DELETED = [{ kind: 'deleted' }]
const known = entry({ known: true })

function reserving(id: string, need: Take['need']): Take {
  return { need, n: 1, remember: { id, as: 'reservation', ttlMs: 60_000, onExpire: 'return' } }
}

/** An owner of its own store. */
class Owner {
  readonly store: Store
  readonly #joined: Joined
  #seq = 0

  private constructor(store: Store, joined: Joined) {
    this.store = store
    this.#joined = joined
  }

  static async on(store: Store): Promise<Owner> {
    return new Owner(store, await store.join('test'))
  }

  async entries(content: Partial<Batch>): Promise<readonly EntryAnswer[]> {
    return applied(await this.store.exchange(batch(this.#joined, (this.#seq += 1), content))).entries
  }
}

/** Until nothing is left. @returns what each call said */
async function removed(store: Store, key: string): Promise<readonly (boolean | undefined)[]> {
  const answers = [await store.delete?.(key)]
  while (answers.at(-1) === false) answers.push(await store.delete?.(key))
  return answers
}

/** A pool that does this before the first commit after `arm`. */
function beforeCommit(run: () => Promise<unknown>): { readonly pool: PostgresPool; arm(): void } {
  let isArmed = false
  const connect = async (): Promise<PostgresClient> => {
    const client = await pool.connect()
    const query = async (text: string): Promise<unknown> => {
      if (isArmed && text.endsWith('\ncommit')) {
        isArmed = false
        await run()
      }
      return client.query(text)
    }
    return { query, release: (destroy) => client.release(destroy) }
  }
  const arm = (): void => {
    isArmed = true
  }
  return { pool: { connect }, arm }
}

/** Locks a row, until the function that it returns is called. */
async function locked(key: string): Promise<() => Promise<void>> {
  const holder = await pool.connect()
  await holder.query(`begin; select 1 from ${schema}.budget where key = '${key}' for update`)
  return async () => {
    await holder.query('rollback')
    holder.release()
  }
}

async function countOf(table: string): Promise<unknown> {
  const { rows } = await pool.query<{ n: number }>(`select count(*)::int n from ${schema}.${table}`)
  return rows[0]?.n
}

describe.skipIf('reason' in server)('the deletion of a key on Postgres', () => {
  describe.each([true, false])('beside an exchange (fast path: %s)', (fastPath) => {
    it('P6, L2: an owner whose exchange waits for the row hears of it in that exchange', async () => {
      const holding = heldCommits(pool)
      const owner = await Owner.on(storeOn(pool, { schema, fastPath }))
      await owner.entries({ entries: [entry({ hold: 10 }), entry({ key: 'other', hold: 10 })] })
      holding.hold()
      const deleting = storeOn(holding.pool, { schema }).delete?.('seats')
      await holding.isHeld
      const spent = { known: true, spent: 3, hold: 10 }
      const heard = owner.entries({ entries: [entry(spent), entry({ ...spent, key: 'other' })] })
      await waiterOn(pool, schema)
      holding.goOn()
      expect(await deleting).toBe(true)
      expect(await heard).toMatchObject([{ kind: 'deleted' }, { used: 3, held: 10 }])
      expect(await owner.entries({ entries: [entry({ hold: 4 })] })).toMatchObject([{ minted: 100, held: 4, used: 0 }])
      expect(await countOf('deleted_lease')).toBe(0)
    })

    it.each([
      ['hears of it', 'knew it without a lease', known, { kind: 'deleted' }],
      ['makes it anew', 'may make it', entry({ hold: 1 }), { minted: 100, held: 1, pool: 99, others: 0 }],
    ] as const)('P6: an owner that waits for the row %s where it %s', async (_does, _where, asks, expected) => {
      const holding = heldCommits(pool)
      const [owner, other] = [
        await Owner.on(storeOn(pool, { schema, fastPath })),
        await Owner.on(storeOn(pool, { schema })),
      ]
      await other.entries({ entries: [entry({ hold: 7 })] })
      holding.hold()
      const deleting = storeOn(holding.pool, { schema }).delete?.('seats')
      await holding.isHeld
      const waited = owner.entries({ entries: [asks] })
      await waiterOn(pool, schema)
      holding.goOn()
      await deleting
      expect(await waited).toMatchObject([expected])
      expect(await other.entries({ entries: [entry({ known: true, hold: 7 })] })).toEqual(DELETED)
    })

    it('P6, L2: an owner hears although the row was made anew before its exchange came to the locks', async () => {
      const [owner, other] = [
        await Owner.on(storeOn(pool, { schema, fastPath })),
        await Owner.on(storeOn(pool, { schema })),
      ]
      await owner.entries({ entries: [entry({ hold: 10 })] })
      const maker = await pool.connect()
      await maker.query(`begin; insert into ${schema}.budget (key, period, kind) values ('zebra', 0, 'i')`)
      const heard = owner.entries({ entries: [entry({ known: true, hold: 10 }), entry({ key: 'zebra' })] })
      await waiterOn(pool, schema)
      await other.store.delete?.('seats')
      await other.entries({ entries: [entry({ hold: 2 })] })
      await maker.query('rollback')
      maker.release()
      expect(await heard).toMatchObject([{ kind: 'deleted' }, { minted: 100 }])
      expect(await other.entries({ entries: [entry({ known: true, hold: 2 })] })).toMatchObject([
        { held: 2, others: 0, pool: 98 },
      ])
    })

    it.each([
      ['knows it', known],
      ['may make it', entry()],
    ])('P6, L1: an owner that %s locks the row that was made anew while it waited for another one', async (_, asks) => {
      const [isLoaded, mayCommit] = [signal(), signal()]
      const deleter = beforeCommit(async () => {
        isLoaded.give()
        await mayCommit.given
      })
      let taken: Promise<unknown> = Promise.resolve()
      const intruded = beforeCommit(async () => {
        taken = maker.entries({ entries: [known], takes: [{ need: [[0, 3]], n: 1 }] })
        await Promise.race([taken, waiterOn(pool, schema)])
      })
      const [maker, waiter] = [
        await Owner.on(storeOn(pool, { schema })),
        await Owner.on(storeOn(intruded.pool, { schema, fastPath })),
      ]
      const both = [entry(), entry({ key: 'zebra' })]
      await maker.entries({ entries: both })
      const free = await locked('zebra')
      const store = storeOn(deleter.pool, { schema })
      await store.owners()
      deleter.arm()
      const deleting = store.delete?.('seats')
      await isLoaded.given
      intruded.arm()
      const waited = waiter.entries({
        entries: [asks, entry({ key: 'zebra', known: true })],
        takes: [{ need: [[0, 2]], n: 1 }],
      })
      await waiterOn(pool, schema)
      mayCommit.give()
      expect(await deleting).toBe(true)
      await maker.entries({ entries: [entry()] })
      await free()
      await waited
      await taken
      expect(await store.read([{ key: 'seats', period: 0 }])).toMatchObject([{ used: 5, pool: 95 }])
    })
  })

  it('P6: two deletions at once: the second waits, and the owner hears once', async () => {
    const holding = heldCommits(pool)
    const owner = await Owner.on(storeOn(pool, { schema }))
    await owner.entries({ entries: [entry({ hold: 10 })], takes: [reserving('r', [[0, 4]])] })
    holding.hold()
    const first = storeOn(holding.pool, { schema }).delete?.('seats')
    await holding.isHeld
    const second = owner.store.delete?.('seats')
    await waiterOn(pool, schema)
    holding.goOn()
    expect([await first, await second]).toEqual([true, true])
    expect(await owner.entries({ entries: [entry({ known: true, hold: 10 })] })).toEqual(DELETED)
    expect(await owner.entries({ entries: [entry({ hold: 10 })] })).toMatchObject([{ held: 10 }])
  })

  it('P6, R2: a reservation that is made while the deletion waits for its row goes first, and gives back to the other budget', async () => {
    const holding = heldCommits(pool)
    const owner = await Owner.on(storeOn(holding.pool, { schema }))
    const entries = [entry(), entry({ key: 'other' })]
    await owner.entries({ entries })
    holding.hold()
    const need = [
      [1, 5],
      [0, 4],
    ] as const
    const reserved = owner.entries({ entries, takes: [reserving('r', need)] })
    await holding.isHeld
    const deleter = storeOn(pool, { schema })
    const deleting = removed(deleter, 'seats')
    await waiterOn(pool, schema)
    holding.goOn()
    await reserved
    expect(await deleting).toEqual([false, true])
    expect(await deleter.list({ limit: 9 })).toMatchObject({
      rows: [{ budget: { key: 'other', reserved: 0, pool: 100 } }],
    })
    expect(await countOf('reservation')).toBe(0)
  })

  it('P6, L3: ids of mints stay while a row is there that was made while the deletion waited', async () => {
    const owner = await Owner.on(storeOn(pool, { schema }))
    await owner.entries({ entries: [entry()] })
    const free = await locked('seats')
    const deleter = storeOn(pool, { schema })
    const deleting = deleter.delete?.('seats')
    await waiterOn(pool, schema)
    const minting = entry({ period: 1, mint: { id: 'm', units: 5 } })
    expect(await owner.entries({ entries: [minting] })).toMatchObject([{ minted: 105 }])
    await free()
    expect(await deleting).toBe(false)
    expect(await owner.entries({ entries: [minting] })).toMatchObject([{ minted: 105, mint: 'repeated' }])
    expect(await removed(deleter, 'seats')).toEqual([true])
    expect([await deleter.list({ limit: 9 }), await countOf('mint')]).toEqual([{ rows: [] }, 0])
  })

  it('P6: rows that cannot be read go, too, and `verify` finds nothing wrong with what is left', async () => {
    const owner = await Owner.on(storeOn(pool, { schema }))
    await owner.entries({ entries: [entry({ hold: 10 }), entry({ key: 'other', hold: 5 })] })
    await pool.query(`update ${schema}.budget set limit_units = 9007199254740993 where key = 'seats'`)
    expect(await owner.store.delete?.('seats')).toBe(true)
    expect(await owner.store.list({ limit: 9 })).toMatchObject({ rows: [{ budget: { key: 'other' } }] })
    expect(await countOf('deleted_lease')).toBe(1)
    expect(await verify(addressOn(url, schema))).toMatchObject({ ok: true, json: { damage: [] } })
  })

  it('P6: more rows, reservations and ids than one transaction takes go in several, also those of other periods', async () => {
    const owner = await Owner.on(storeOn(pool, { schema }))
    await owner.entries({ entries: [entry({ hold: 1 })] })
    await pool.query(`
      insert into ${schema}.budget (key, period, kind, minted, pool) select 'seats', n, 'i', 10, 10 from generate_series(1, 240) n;
      insert into ${schema}.mint select sha256('5:seats' || n::text::bytea), 'seats', n, 1 from generate_series(1, 240) n`)
    expect(await removed(owner.store, 'seats')).toEqual([false, false, false, false, true])
    expect([await owner.store.list({ limit: 9 }), await countOf('mint')]).toEqual([{ rows: [] }, 0])
  })

  it('S10: what an epoch has not heard of is forgotten with the epoch', async () => {
    const owner = await Owner.on(storeOn(pool, { schema, upkeepEveryMs: 0 }))
    await owner.entries({ entries: [entry({ hold: 10 })] })
    await owner.store.delete?.('seats')
    await pool.query(`update ${schema}.owner set is_open = false, seen_at = 1`)
    expect(await countOf('deleted_lease')).toBe(1)
    await Owner.on(storeOn(pool, { schema }))
    expect(await countOf('deleted_lease')).toBe(0)
  })

  it('P6: each deletion forgets at most 10 that are past, the earliest first, waits for none, and forgets none that still counts', async () => {
    const owner = await Owner.on(storeOn(pool, { schema }))
    await pool.query(`insert into ${schema}.deleted_key select 'k' || n, n from generate_series(0, 12) n;
      insert into ${schema}.deleted_key select 'near', ${schema}.clock_ms() - 6 * 86400000`)
    const kept = async (): Promise<readonly unknown[]> => {
      const { rows } = await pool.query<{ key: string }>(`select key from ${schema}.deleted_key order by deleted_at`)
      return rows.map(({ key }) => key)
    }
    const holder = await pool.connect()
    await holder.query(`begin; select 1 from ${schema}.deleted_key where key = 'k1' for update`)
    expect(await owner.store.delete?.('k0')).toBe(true)
    await holder.query('rollback')
    holder.release()
    expect(await kept()).toEqual(['k1', 'k12', 'near', 'k0'])
    await owner.store.delete?.('new')
    expect(await kept()).toEqual(['near', 'k0', 'new'])
  })

  it('L7: an epoch that has heard, and one that held nothing, stay on the fast path; the others leave it with nothing written', async () => {
    const messages: string[] = []
    const connect = async (): Promise<PostgresClient> => {
      const client = await pool.connect()
      const query = (text: string): Promise<unknown> => {
        messages.push(/\.exchange_3\(/.test(text) ? 'exchange_3' : (/\w+$/.exec(text)?.[0] ?? ''))
        return client.query(text)
      }
      return { query, release: (destroy) => client.release(destroy) }
    }
    const [one, other] = [
      await Owner.on(storeOn({ connect }, { schema })),
      await Owner.on(storeOn({ connect }, { schema })),
    ]
    await one.entries({ entries: [entry({ hold: 10 })] })
    await one.store.delete?.('seats')
    const plain = ['exchange_3']
    for (const [owner, asks, expected] of [
      [other, entry(), plain],
      [one, entry({ key: 'more' }), [...plain, 'answer', 'commit']],
      [one, entry({ known: true, hold: 10 }), [...plain, 'answer', 'commit']],
      [one, entry({ hold: 10 }), plain],
      [other, known, plain],
    ] as const) {
      messages.length = 0
      await owner.entries({ entries: [asks] })
      expect(messages).toEqual(expected)
    }
  })

  it('L8: a key among 5,000 is deleted by indexes', async () => {
    const owner = await Owner.on(storeOn(pool, { schema }))
    await owner.entries({ entries: [entry({ hold: 10 })], takes: [reserving('r', [[0, 4]])] })
    await pool.query(`
      insert into ${schema}.budget (key, period, kind, minted, pool, leased, lessees) select 'row ' || n, 0, 'i', 10, 9, 1, 1 from generate_series(1, 5000) n;
      insert into ${schema}.lease select 'row ' || n, 0, 1 + n % 2, 1 from generate_series(1, 5000) n;
      insert into ${schema}.mint select sha256(n::text::bytea), 'row ' || n, 'm', 1 from generate_series(1, 5000) n;
      insert into ${schema}.deleted_key select 'row ' || n, n from generate_series(1, 5000) n;
      insert into ${schema}.reservation select sha256(('row ' || n)::bytea), null, 'row ' || n, 'r', remembered_as, request, on_expire, lots,
        sweep_at, source_keys, source_periods from ${schema}.reservation, generate_series(1, 5000) n;
      analyze ${schema}.budget; analyze ${schema}.lease; analyze ${schema}.mint; analyze ${schema}.deleted_key; analyze ${schema}.reservation`)
    const read: unknown[] = []
    const connect = async (): Promise<PostgresClient> => {
      const client = await pool.connect()
      const query = async (text: string): Promise<unknown> => {
        if (text.endsWith('\ncommit')) {
          await client.query(text.slice(0, -'commit'.length))
          const { rows } = await client.query<object>(`select relname as name from pg_stat_xact_user_tables
            where schemaname = '${schema}' and (seq_scan > 0 or idx_tup_fetch > 100) and relname in ('budget', 'lease', 'mint', 'reservation', 'deleted_key')`)
          read.push(...rows)
          return client.query('commit')
        }
        if (text.includes('begin isolation')) await client.query('select pg_stat_force_next_flush()')
        return client.query(text)
      }
      return { query, release: (destroy) => client.release(destroy) }
    }
    expect(await storeOn({ connect }, { schema }).delete?.('seats')).toBe(true)
    expect(read).toEqual([])
  })
})
