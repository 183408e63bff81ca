import { Redis, type CommonRedisOptions } from 'ioredis'
import { expect, onTestFinished } from 'vitest'
import type { Store } from '../../src/core/store.ts'
import { RedisAdapter, type AdapterSettings } from '../../src/stores/redis/adapter.ts'
import { redis, type RedisClient, type RedisOptions } from '../../src/stores/redis/index.ts'
import { unpackBudget, rowNameFrom } from '../../src/stores/redis/rows.ts'

let prefixes = 0

/** A prefix that no other test uses. */
export function newPrefix(): string {
  prefixes += 1
  return `test:${process.pid}:${prefixes}`
}

/** An adapter with the time of a test, which warns of nothing. */
export function adapterOn(client: RedisClient, settings: Partial<AdapterSettings> = {}): RedisAdapter {
  return new RedisAdapter(client, {
    prefix: newPrefix(),
    leaseTtlMs: 10_000,
    strict: false,
    fastPath: true,
    newGeneration: () => 'generation',
    warn: () => undefined,
    ...settings,
  })
}

export type ClientOptions = Pick<
  CommonRedisOptions,
  | 'autoResendUnfulfilledCommands'
  | 'commandTimeout'
  | 'enableOfflineQueue'
  | 'lazyConnect'
  | 'maxRetriesPerRequest'
  | 'password'
  | 'retryStrategy'
  | 'username'
>

/** A client that the caller closes. */
export function newClient(url: string, options: ClientOptions = {}): Redis {
  // Tests end connections.
  return new Redis(url, options).on('error', () => undefined)
}

/** A client that is closed with the test, and says at once what failed. */
export function clientOn(url: string, options: ClientOptions = {}): Redis {
  const client = newClient(url, { maxRetriesPerRequest: 0, retryStrategy: () => 20, ...options })
  onTestFinished(() => client.disconnect())
  return client
}

/** A store that is closed with the test. */
export function storeOn(client: RedisClient, options: RedisOptions = {}): Store {
  const store = redis(client, { upkeepEveryMs: 3_600_000, ...options })
  onTestFinished(() => store.close())
  return store
}

/** L2: the sums on the rows are those of the leases, the indexes have what they must have, and nothing else. */
export async function assertSums(client: Redis, prefix: string): Promise<void> {
  const key = (name: string): string => `{${prefix}}:${name}`
  const rows = await client.hgetallBuffer(key('b'))
  const leases = new Map<string, number[]>()
  for (const name of await client.keys(key('l:*'))) {
    for (const [field, held] of Object.entries(await client.hgetall(name)))
      leases.set(field, [...(leases.get(field) ?? []), Number(held)])
  }
  const removable: string[] = []
  const wanted: string[] = []
  for (const [field, bytes] of Object.entries(rows)) {
    const { row, leased, lessees } = unpackBudget(rowNameFrom(Buffer.from(field)), bytes)
    const held = leases.get(field) ?? []
    expect({ field, leased, lessees }).toEqual({
      field,
      leased: held.reduce((sum, units) => sum + units, 0),
      lessees: held.length,
    })
    if (row.keepUntil !== null && lessees === 0) removable.push(field)
    if (row.wantedUntil > 0) wanted.push(field)
  }
  expect((await client.zrange(key('k'), '0', '-1')).toSorted()).toEqual(removable.toSorted())
  expect((await client.zrange(key('w'), '0', '-1')).toSorted()).toEqual(wanted.toSorted())
  expect(await client.zcard(key('i'))).toBe(Object.keys(rows).length)
}
