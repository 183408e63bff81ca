import { describe, expect, test } from 'vitest'
import { inspect } from '../../src/cli/inspect.ts'
import { migrate } from '../../src/cli/migrate.ts'
import { setClockBack } from '../../src/cli/repair-clock.ts'
import { withPool } from '../../src/cli/stores/pg-pool.ts'
import { placeOf } from '../../src/cli/stores/place-of.ts'
import { postgresAddress } from '../../src/cli/stores/postgres-address.ts'
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

test('a client that is not installed: the error says what to install', async () => {
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
  test('repair-clock on a server, whose clock is not ours', async () => {
    await expect(setClockBack(address, 0)).rejects.toMatchObject({ code: 'not_supported' })
  })
  test('migrate on a file', async () => {
    await expect(migrate('vsa.db', false)).rejects.toMatchObject({ code: 'not_supported' })
  })
})
