import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { demo } from '../../src/cli/demo/demo.ts'
import { inspect } from '../../src/cli/inspect.ts'
import { usage } from '../../src/cli/usage.ts'
import { why } from '../../src/cli/why.ts'
import { PLAIN } from '../../src/cli/paint.ts'
import { openClient } from '../../src/cli/stores/redis-client.ts'
import { placeOf } from '../../src/cli/stores/place-of.ts'
import { verify } from '../../src/cli/verify.ts'
import { fieldOf, memberOf } from '../../src/stores/redis/keys.ts'
import { packBudget, unpackBudget, type StoredBudget } from '../../src/stores/redis/rows.ts'
import { clientOn, newClient, newPrefix, storeOn } from '../stores/redis-fixture.ts'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { makeRows } from './redis-rows.ts'
import { fill } from './store-fixture.ts'
import { vsa } from './run-cli.ts'

const OPTIONS = { rowsMax: 50, timeZone: 'UTC' }
const PASSWORD = 'hunter2'

const server = await redisServer(DURABLE, true)
const url = 'url' in server ? server.url : 'redis://127.0.0.1:1'
const admin = newClient(url, { lazyConnect: true })

afterAll(async () => {
  admin.disconnect()
  if ('stop' in server) await server.stop()
})

interface RedisStore {
  readonly prefix: string
  readonly address: string
  /** Of the store's keys. */
  key(name: string): string
}

function newStore(): RedisStore {
  const prefix = newPrefix()
  return { prefix, address: `${url}?prefix=${prefix}`, key: (name) => `{${prefix}}:${name}` }
}

/** A store with the rows of `fill`. Its owner is alive. */
async function aStore(): Promise<RedisStore> {
  const found = newStore()
  await fill(storeOn(clientOn(url), { prefix: found.prefix }))
  return found
}

const ROW = { key: 'concert-43', period: 0 }

/** Changes a packed row without the store. */
async function change({ key }: RedisStore, with_: (row: StoredBudget) => StoredBudget): Promise<void> {
  const field = fieldOf(ROW)
  const bytes = await admin.hgetBuffer(key('b'), field)
  await admin.hset(key('b'), field, packBudget(with_(unpackBudget(ROW, bytes ?? Buffer.alloc(0)))))
}

const spendOne = (stored: StoredBudget): StoredBudget => ({
  ...stored,
  row: { ...stored.row, used: stored.row.used + 1 },
})
const lend = (stored: StoredBudget): StoredBudget => ({
  ...stored,
  row: { ...stored.row, pool: stored.row.pool + 1 },
  leased: stored.leased - 1,
})

describe.skipIf('reason' in server)('verify on Redis', () => {
  test('L2: every row of a store in use balances', async () => {
    const { address } = await aStore()
    const { code, stdout, stderr } = await vsa('verify', address, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const found: unknown = JSON.parse(stdout)
    expect(found).toMatchObject({ ok: true, rows: 2, minted: 1_000, used: 14, pool: 946, burned: 0, leased: 40 })
    expect(found).toMatchObject({ faulty: [], unreadable: [], damage: [], stoppedBy: null, store: address })
    expect((await verify(address)).text).toContain('No row is missing, and every lease is on a row, and has an owner.')
  })

  test.each<[string, (store: RedisStore) => Promise<unknown>, string[]]>([
    ['a unit that was never minted', (store) => change(store, spendOne), ['1 units more than were minted']],
    [
      'another sum of leases',
      (store) => change(store, lend),
      ['1 units more than were minted', 'leased on the row is 19, and its leases hold 20'],
    ],
    [
      'another number of leases',
      (store) => change(store, (stored) => ({ ...stored, lessees: 2 })),
      ['lessees on the row is 2, and it has 1 leases'],
    ],
    [
      'a lease that is missing',
      (store) => admin.hdel(store.key('l:1'), fieldOf(ROW)),
      [
        '20 of the minted units are nowhere',
        'leased on the row is 20, and its leases hold 0',
        'lessees on the row is 1, and it has 0 leases',
      ],
    ],
  ])('L2: verify finds %s on Redis and names the row', async (_what, tamper, faults) => {
    const store = await aStore()
    await tamper(store)
    const { ok, json, text } = await verify(store.address)
    expect(ok).toBe(false)
    expect(json).toMatchObject({ ok: false, rows: 2, faulty: [{ key: 'concert-43', period: 0, faults }], damage: [] })
    expect(text).toMatch(/1 row does not add up/)
  })

  test('L2: a row of Redis that cannot be read is named, and the others are checked', async () => {
    const { address, key } = await aStore()
    const strange = ['concert-44', 'concert-45\0x', Buffer.from([0xff, 0, 0x31])]
    await admin.zadd(key('i'), ...strange.flatMap((member) => [0, member]))
    await admin.hset(key('b'), fieldOf({ key: 'concert-42', period: 0 }), 'no row')
    const { json } = await verify(address)
    expect(json).toMatchObject({
      rows: 1,
      unreadable: [
        { key: 'concert-42', period: 0, detail: 'expected a packed budget in Redis, got 6 bytes' },
        { key: 'concert-44', detail: 'its name in the index is none that this store writes' },
        {},
        {},
      ],
      damage: [`the key ${key('i')} has 5 elements, and 2 were written`],
    })
    const { ok, json: shown } = await inspect(address, undefined, OPTIONS)
    expect(ok).toBe(false)
    expect(shown).toMatchObject({ budgets: [{ key: 'concert-43' }], unreadable: [{}, {}, {}, {}] })
  })

  test.each<[string, (store: RedisStore) => Promise<unknown>, string]>([
    [
      'an owner is missing',
      ({ key }) => admin.hdel(key('o'), '1'),
      'the lease of epoch 1 on "concert-42", period 0, is without an owner',
    ],
    [
      'a row is missing',
      ({ key }) =>
        admin
          .multi()
          .hdel(key('b'), '0:concert-42')
          .zrem(key('i'), memberOf({ key: 'concert-42', period: 0 }))
          .exec(),
      ':b has 1 elements, and 2 were written',
    ],
    ['an owner is in no list', ({ key }) => admin.zrem(key('x'), '1'), 'the leases of epoch 1 are in no list'],
    ['the key of the store is missing', ({ key }) => admin.del(key('s')), ':s is missing or has no schema'],
    [
      'the index is out of order',
      ({ key }) => admin.zincrby(key('i'), 1, memberOf(ROW)),
      ':i has 1 members out of order',
    ],
    ['the counters are missing', ({ key }) => admin.del(key('c')), ':c has 0 elements, and 1 were written'],
    ['an owner cannot be read', ({ key }) => admin.hset(key('o'), '1', 'x'), 'the owners cannot be read: '],
    ['a counter cannot be read', ({ key }) => admin.hset(key('c'), 'likes', 'x'), 'the counters cannot be read: '],
    ['a key is of another type', ({ key }) => admin.set(key('m'), 'x'), 'a key of the store is of another type'],
  ])('it is a finding that %s', async (_what, tamper, finding) => {
    const store = await aStore()
    await tamper(store)
    const { ok, json, text } = await verify(store.address)
    expect(ok).toBe(false)
    expect((json as { damage: string[] }).damage).toContainEqual(expect.stringContaining(finding))
    expect(text).toContain('The store is damaged: restore it from a backup.')
  })

  test('a lease without a row is a finding, and at most 100 are told', async () => {
    const { address, key } = await aStore()
    const strays = Array.from({ length: 150 }, (_, at) => [`0:gone-${at}`, '1']).flat()
    await admin.hset(key('l:1'), ...strays)
    const { damage } = (await verify(address)).json as { damage: string[] }
    expect(damage).toHaveLength(100)
    expect(damage[0]).toMatch(/^the lease of epoch 1 on "gone-\d+", period 0, is without a row$/)
  })

  test('a prefix without a store, and one of a newer version, are errors', async () => {
    await expect(verify(newStore().address)).rejects.toMatchObject({ code: 'not_a_database' })
    const { address, key } = await aStore()
    await admin.hset(key('s'), 'schema', '99')
    await expect(verify(address)).rejects.toMatchObject({ code: 'schema_too_new' })
  })

  test('a user that may only read is enough, and its password is not printed', async () => {
    const { address, prefix } = await aStore()
    const name = `reader-${process.pid}`
    await admin.acl(
      'SETUSER',
      name,
      'on',
      `>${PASSWORD}`,
      `~{${prefix}}:*`,
      '+@read',
      '+@connection',
      '+eval',
      '+evalsha',
      '+info',
    )
    onTestFinished(async () => void (await admin.acl('DELUSER', name)))
    const as = (password: string): string => Object.assign(new URL(address), { username: name, password }).href
    const report = await verify(as(PASSWORD))
    expect(report).toMatchObject({ ok: true, json: { rows: 2 }, text: expect.stringContaining(name) as string })
    expect(JSON.stringify(report)).not.toContain(PASSWORD)
    const refused = expect(verify(as(`${PASSWORD}-2`))).rejects
    await refused.toMatchObject({ code: 'store_failed', message: expect.not.stringContaining(PASSWORD) as string })
  })
})

describe.skipIf('reason' in server)('inspect on Redis', () => {
  test('shows budgets, leases, owners and counters', async () => {
    const { address } = await aStore()
    const { ok, json, text } = await inspect(address, 'concert-43', OPTIONS)
    expect(ok).toBe(true)
    expect(json).toMatchObject({
      budgets: [{ key: 'concert-43', used: 7, pool: 473, leased: 20, leases: [{ epoch: 1, leased: 20 }] }],
      owners: [{ epoch: 1, label: 'the test', state: 'open', seq: 2 }],
    })
    expect(text).toMatch(/Leases: 1\n.*\n- +- +20 +1 +the test/)
    expect((await inspect(address, 'likes', OPTIONS)).json).toMatchObject({ counters: [{ key: 'likes', value: 42 }] })
    await expect(inspect(address, 'concert-44', OPTIONS)).rejects.toMatchObject({ code: 'unknown_key' })
    expect((await why(address, 'concert-43', Date.now(), 'UTC')).json).toMatchObject({
      reason: 'available',
      leased: 20,
    })
    expect((await usage(address, 'concert-43', { ...OPTIONS, isCsv: true })).text).toMatch(
      /\nconcert-43,,,500,500,7,0,0,20$/,
    )
  })
})

describe.skipIf('reason' in server)('a Redis store of several pages', () => {
  const [ROWS, OWNERS] = [300, 150]
  let store: RedisStore
  beforeAll(async () => {
    store = newStore()
    await makeRows(admin, store.key, { rows: ROWS, owners: OWNERS })
  })

  test('L2: all pages are read, in order, each row with its own leases', async () => {
    const held = 3 * Math.ceil(ROWS / 3)
    expect(await verify(store.address)).toMatchObject({
      ok: true,
      json: { rows: ROWS, minted: 10 * ROWS, pool: 10 * ROWS - held, leased: held, faulty: [], damage: [] },
    })
    const { json } = await inspect(store.address, undefined, OPTIONS)
    const { budgets, counters, owners } = json as Record<string, { key: string; period: number }[]>
    const names = Array.from(
      { length: ROWS },
      (_, n) => `${String.fromCodePoint(233 + Math.floor(n / 3))} ${(n % 3) - 1}`,
    )
    expect(budgets?.map(({ key, period }) => `${key} ${period}`)).toEqual(names)
    expect(counters?.map(({ key }) => key)).toEqual(Array.from({ length: 2 * ROWS }, (_, n) => `counter ${1_000 + n}`))
    expect(owners).toHaveLength(OWNERS)
    const one = (await inspect(store.address, String.fromCodePoint(233), OPTIONS)).json as { budgets: unknown[] }
    expect(one.budgets).toMatchObject([
      { period: -1, leases: [{ epoch: 1 }, { epoch: 3 }] },
      { period: 0 },
      { period: 1 },
    ])
  })
})

describe.skipIf('reason' in server)('the demo on Redis', () => {
  test('a URL opens a store over ioredis, and over node-redis where that is not installed', async () => {
    const { address } = newStore()
    await placeOf(address).withStore({}, async (store) => {
      await fill(store)
      await store.close()
    })
    expect(await verify(address)).toMatchObject({ ok: true, json: { rows: 2 } })
    const missing = Object.assign(new Error(), { code: 'ERR_MODULE_NOT_FOUND' })
    const load = (name: string): Promise<unknown> => (name === 'redis' ? import('redis') : Promise.reject(missing))
    const { client, end } = await openClient(url, load)
    const store = storeOn(client, { prefix: newPrefix() })
    await fill(store)
    expect(await store.owners()).toHaveLength(1)
    await store.close()
    end()
  })

  test('a prefix with a store is refused, and one that was only opened is not', async () => {
    const store = await aStore()
    const options = { seconds: 1, showsProgress: false, paint: PLAIN, cliPath: '/nowhere' }
    await expect(demo({ ...options, store: store.address })).rejects.toMatchObject({
      code: 'store_exists',
      message: expect.stringMatching(`prefix ${store.prefix} holds a store already: name another one`) as string,
    })
    const opened = newStore()
    await storeOn(clientOn(url), { prefix: opened.prefix }).owners()
    await placeOf(opened.address).assertNew()
  })
})
