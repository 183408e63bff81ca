import { describe, expect, test } from 'vitest'
import { inspect } from '../../src/cli/inspect.ts'
import { migrate } from '../../src/cli/migrate.ts'
import { setClockBack } from '../../src/cli/repair-clock.ts'
import { withPool } from '../../src/cli/stores/pg-pool.ts'
import { placeOf } from '../../src/cli/stores/place-of.ts'
import { postgresAddress } from '../../src/cli/stores/postgres-address.ts'
import { redisAddress } from '../../src/cli/stores/redis-address.ts'
import { openClient } from '../../src/cli/stores/redis-client.ts'
import { verify } from '../../src/cli/verify.ts'
import { aFolder, aStore } from './store-fixture.ts'

const SECRET = 'hunter2'

describe('the address of a SQLite file', () => {
  test('sqlite:PATH and a bare path name the same file', async () => {
    const path = await aStore(aFolder())
    for (const address of [path, `sqlite:${path}`]) {
      expect((await verify(address)).json).toMatchObject({ ok: true, rows: 2, store: address })
    }
  })
  test.each(['store.db', './a:b', 'C:\\data\\store.db', 'odd:name.db', 'constructor:', 'sqlite:postgres://x'])(
    '%j is a path',
    (address) => {
      expect(placeOf(address)).toMatchObject({ path: address.replace(/^sqlite:/, ''), name: address })
    },
  )
  test('without a path it is refused', () => {
    for (const address of ['sqlite:', '']) expect(() => placeOf(address)).toThrow('has no path')
  })
})

describe('the address of a Postgres store', () => {
  const plain = 'postgres://me@db.example:5432/app'
  test.each([
    [plain, plain, 'vsa', plain],
    [`${plain}?schema=limits`, plain, 'limits', `${plain}?schema=limits`],
    [`${plain}?schema=a%20b+c`, plain, 'a b c', `${plain}?schema=a%20b+c`],
    [
      `${plain}?sslmode=disable&schema=s&options=-c%20a%3Db`,
      `${plain}?sslmode=disable&options=-c%20a%3Db`,
      's',
      `${plain}?sslmode=disable&schema=s&options=-c%20a%3Db`,
    ],
    [`${plain}?%73chema=s#part`, `${plain}#part`, 's', `${plain}?%73chema=s`],
    [`${plain}?schemas=2`, `${plain}?schemas=2`, 'vsa', `${plain}?schemas=2`],
    ['PostgreSQL:///app?host=/run', 'PostgreSQL:///app?host=/run', 'vsa', 'PostgreSQL:///app?host=/run'],
    ['postgres://me@/app?host=/run', 'postgres://me@/app?host=/run', 'vsa', 'postgres://me@/app?host=/run'],
    ['postgres://me@[::1]:5/app', 'postgres://me@[::1]:5/app', 'vsa', 'postgres://me@[::1]:5/app'],
  ])('%s: the driver gets it without the schema', (address, url, schema, name) => {
    expect(postgresAddress(address)).toEqual({ url, schema, name })
    expect(placeOf(address)).toMatchObject({ name, address })
  })
  test.each([
    [`postgres://me:${SECRET}@db/app?schema=s`, 'postgres://me@db/app?schema=s'],
    [`postgres://me:x:${SECRET}@y@db/app`, 'postgres://me@db/app'],
    [`postgres://:${SECRET}@[::1]/app`, 'postgres://@[::1]/app'],
    [`postgres://me@db/app?password=${SECRET}&sslPassword=${SECRET}&ssl=1`, 'postgres://me@db/app?ssl=1'],
    [`postgres://me@db/app?pass%77ord=${SECRET}#${SECRET}`, 'postgres://me@db/app'],
  ])('a password is not in its name: %s', (address, name) => {
    expect(placeOf(address)).toMatchObject({ name, address })
  })
  test.each([
    `postgres:${SECRET}`,
    `postgres:/me:${SECRET}@db/app`,
    `postgres://me:${SECRET}/1@db/app`,
    `postgres://me:12/${SECRET}@db/app`,
    `postgres://me:12?${SECRET}@db/app`,
    `postgres://me:12#${SECRET}@db/app`,
    `postgres://me:${SECRET}@db:port/app`,
    `postgres://me:${SECRET}@db/app?schema=a&schema=b`,
    `postgres://me:${SECRET}@db/app?schema=`,
    `postgres://me:${SECRET}@db/app?schema=pg_mine`,
    `postgres://me:${SECRET}@db/app?schema=${'x'.repeat(64)}`,
    `postgers://me:${SECRET}@db/app`,
    `mysql://me:${SECRET}@db/app`,
  ])('%s is refused, without its password', (address) => {
    const refusal = expect(() => placeOf(address))
    refusal.toThrow(expect.objectContaining({ code: 'usage' }))
    refusal.not.toThrow(SECRET)
  })
})

describe('the address of a Redis store', () => {
  const plain = 'redis://me@cache.example:6380/2'
  test.each([
    ['redis://localhost', 'redis://localhost', 'vsa', 'redis://localhost'],
    [`${plain}?prefix=limits`, plain, 'limits', `${plain}?prefix=limits`],
    [`${plain}?family=6&prefix=a%3Ab+c`, `${plain}?family=6`, 'a:b c', `${plain}?family=6&prefix=a%3Ab+c`],
    ['rediss://[::1]:5/', 'rediss://[::1]:5/', 'vsa', 'rediss://[::1]:5/'],
    [`redis://me:${SECRET}@db?prefix=p`, `redis://me:${SECRET}@db`, 'p', 'redis://me@db?prefix=p'],
    [`redis://:${SECRET}@db?password=x`, `redis://:${SECRET}@db?password=x`, 'vsa', 'redis://@db'],
  ])('%s: the client gets it without the prefix, and texts without the password', (address, url, prefix, name) => {
    expect(redisAddress(address)).toEqual({ url, prefix, name })
    expect(placeOf(address)).toMatchObject({ name, address })
  })
  test.each([
    `redis:${SECRET}`,
    `redis:///${SECRET}`,
    `redis://me:${SECRET}/1@db`,
    `redis://me:${SECRET}@db/app`,
    `redis://me:${SECRET}@db:port/1`,
    `redis://me:${SECRET}@db?prefix=a&prefix=b`,
    `redis://me:${SECRET}@db?prefix=`,
    `redis://me:${SECRET}@db?prefix={a}`,
    `redis://me:${SECRET}@db?prefix=${'x'.repeat(201)}`,
    `redi://me:${SECRET}@db`,
  ])('%s is refused, without its password', (address) => {
    const refusal = expect(() => placeOf(address))
    refusal.toThrow(expect.objectContaining({ code: 'usage' }))
    refusal.not.toThrow(SECRET)
  })
})

test('no client of Redis is installed, or one that is too old: the error says what to install', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  const message = 'a Redis store needs a client, ioredis or redis: npm install ioredis'
  const refused = { code: 'driver_missing', message }
  await expect(openClient('redis://db', () => Promise.reject(missing))).rejects.toMatchObject(refused)
  await expect(openClient('redis://db', async () => ({ default: {} }))).rejects.toThrow(`${message} (it has no Redis)`)
  const old = (name: string): Promise<unknown> =>
    name === 'redis' ? Promise.resolve({ createClient: () => ({ sendCommand: 1 }) }) : Promise.reject(missing)
  await expect(openClient('redis://db', old)).rejects.toThrow(`${message} (redis must be 5 or newer)`)
})

test('a client of Postgres that is not installed: the error says what to install', async () => {
  const missing = Object.assign(new Error("Cannot find package 'pg'"), { code: 'ERR_MODULE_NOT_FOUND' })
  const use = (load: () => Promise<unknown>): Promise<string> => withPool('postgres://db', async () => 'used', load)
  await expect(use(() => Promise.reject(missing))).rejects.toMatchObject({
    code: 'driver_missing',
    message: 'a Postgres store needs the client pg: npm install pg',
  })
  await expect(use(async () => ({ default: {} }))).rejects.toThrow('npm install pg (it has no Pool)')
})

describe('what a store cannot do is refused', () => {
  const address = `postgres://me:${SECRET}@localhost:1/app`
  test('a server that does not answer: the error has no password, and promises no second try', async () => {
    const message = /^Postgres schema vsa: no connection to the server \([^;]*\)$/
    const { describeError } = await import('../../src/cli/report.ts')
    for (const read of [verify(address), inspect(address, undefined, { rowsMax: 1, timeZone: 'UTC' })]) {
      const error: unknown = await read.catch((caught: unknown) => caught)
      expect(describeError(error)).toEqual({ code: 'store_lost', message: expect.stringMatching(message) as string })
    }
  })
  test('a Redis server that does not answer, over each client', async () => {
    const place = `redis://me:${SECRET}@localhost:1`
    await expect(verify(place)).rejects.toMatchObject({
      code: 'store_lost',
      message: expect.not.stringContaining(SECRET) as string,
    })
    const missing = Object.assign(new Error(), { code: 'ERR_MODULE_NOT_FOUND' })
    const load = (name: string): Promise<unknown> => (name === 'redis' ? import('redis') : Promise.reject(missing))
    await expect(openClient(place, load)).rejects.toThrow(expect.not.stringContaining(SECRET))
  })
  test('repair-clock and replay on Redis, whose clock is not ours', async () => {
    await expect(setClockBack('redis://localhost:1', 0)).rejects.toMatchObject({ code: 'not_supported' })
    expect(placeOf('redis://localhost:1').onClock).toBeUndefined()
  })
  test('repair-clock on a server, whose clock is not ours', async () => {
    await expect(setClockBack(address, 0)).rejects.toMatchObject({ code: 'not_supported' })
  })
  test.each(['vsa.db', 'redis://localhost:1'])('migrate on %s, which needs none', async (place) => {
    const message = `${place} needs no migration: the first call of an engine makes what the store needs`
    await expect(migrate(place, false)).rejects.toMatchObject({ code: 'not_supported', message })
  })
})
