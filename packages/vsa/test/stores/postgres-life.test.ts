import { afterAll, describe, expect, it } from 'vitest'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import type { AppliedAnswer } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import type { PostgresOptions, PostgresPool } from '../../src/stores/postgres/index.ts'
import { dropSchemas, newPool, newSchema, storeOn } from './postgres-fixture.ts'
import { applied, batch, entry } from './sqlite-fixture.ts'

const server = await postgresServer()
const pool = newPool('url' in server ? server.url : '')

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

/** Keeps how often the function of the fast path was called. */
function counting(): { readonly pool: PostgresPool; readonly calls: () => number } {
  let calls = 0
  const connect = async () => {
    const client = await pool.connect()
    const query = (text: string): Promise<unknown> => {
      calls += Number(text.includes('.exchange_3('))
      return client.query(text)
    }
    return { query, release: (destroy?: boolean) => client.release(destroy) }
  }
  return { pool: { connect }, calls: () => calls }
}

interface Bench {
  readonly schema: string
  readonly calls: () => number
  open(options?: PostgresOptions): Store
  /** As a promotion does: the present incarnation is another one. */
  promoted(): Promise<void>
  setClock(ms: number): Promise<void>
}

function bench(): Bench {
  const schema = newSchema()
  const { pool: counted, calls } = counting()
  return {
    schema,
    calls,
    open: (options = {}) => storeOn(counted, { schema, ...options }),
    promoted: async () => void (await pool.query(`update ${schema}.store set incarnation = gen_random_uuid()`)),
    setClock: async (ms) => {
      await pool.query(
        `create or replace function ${schema}.clock_ms() returns bigint language sql volatile as 'select ${ms}::bigint'`,
      )
    },
  }
}

const take = async (store: Store, owner: Joined, seq: number): Promise<AppliedAnswer> =>
  applied(await store.exchange(batch(owner, seq, { entries: [entry()], takes: [{ need: [[0, 1]], n: 1 }] })))

describe.skipIf('reason' in server)('a Postgres that may forget', () => {
  it('F1, F3: after a promotion it is frozen for one lease lifetime, in which the fast path decides nothing', async () => {
    const { open, promoted, setClock, calls } = bench()
    const store = open({ mayForget: true })
    const before = await store.join('test')
    expect(before).toMatchObject({ mayForget: true, frozenUntil: 0 })
    await promoted()
    expect(await store.exchange(batch(before, 1))).toMatchObject({ kind: 'fenced', forgot: true })
    const owner = await store.join('test')
    expect(owner.incarnation).not.toBe(before.incarnation)
    expect(await take(store, owner, 1)).toMatchObject({ granted: [0], frozenUntil: owner.frozenUntil })
    await setClock(owner.frozenUntil - 1)
    expect((await take(store, owner, 2)).granted).toEqual([0])
    await setClock(owner.frozenUntil)
    const asked = calls()
    expect(await take(store, owner, 3)).toMatchObject({ granted: [1], frozenUntil: 0 })
    expect(calls() - asked).toBe(1)
  })

  it('F3: without a standby it never forgets, until it finds itself promoted: then also for stores that are opened later', async () => {
    const { open, promoted } = bench()
    const mayForget = async (): Promise<boolean> => (await open().join('test')).mayForget
    expect(await mayForget()).toBe(false)
    await promoted()
    expect([await mayForget(), await mayForget()]).toEqual([true, true])
    const frozen = await open().join('test')
    expect(frozen.frozenUntil).toBeGreaterThan(frozen.time)
    expect(await open({ mayForget: false }).join('test')).toMatchObject({ mayForget: false, frozenUntil: 0 })
  })

  it('F1, F3: one that was opened without a standby notices a promotion in the first call after it', async () => {
    const { open, promoted, calls } = bench()
    const [store, other] = [open(), open()]
    const [before, idle] = [await store.join('test'), await other.join('test')]
    expect(before).toMatchObject({ mayForget: false, frozenUntil: 0 })
    const asked = calls()
    expect(await take(store, before, 1)).toMatchObject({ granted: [1], frozenUntil: 0 })
    expect(calls() - asked).toBe(1)
    await promoted()
    expect(await store.exchange(batch(before, 2))).toMatchObject({ kind: 'fenced', forgot: true })
    const owner = await store.join('test')
    expect(owner).toMatchObject({ mayForget: true })
    expect(owner.frozenUntil).toBeGreaterThan(owner.time)
    expect((await take(store, owner, 1)).granted).toEqual([0])
    // Another handle, which has seen nothing of it.
    expect(await other.exchange(batch(idle, 1))).toMatchObject({ kind: 'fenced', forgot: true })
  })

  it('mayForget: false: no promotion is looked for, and nothing is frozen', async () => {
    const { open, promoted } = bench()
    const store = open({ mayForget: false })
    const owner = await store.join('test')
    await promoted()
    expect(await take(store, owner, 1)).toMatchObject({ granted: [1], frozenUntil: 0 })
  })

  it.each(['mayForget', 'strict', 'fastPath'])('%s must be a boolean', (name) => {
    expect(() => bench().open({ [name]: 1 as never })).toThrow(`options.${name} must be a boolean, got 1`)
  })
})
