import { Redis, type CommonRedisOptions } from 'ioredis'
import { expect, onTestFinished } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { Answer, Batch } from '../../src/core/exchange.ts'
import type { Store } from '../../src/core/store.ts'
import { RedisAdapter, type AdapterSettings } from '../../src/stores/redis/adapter.ts'
import { sweepAtOf } from '../../src/core/reservations/names.ts'
import { redis, type RedisClient, type RedisOptions } from '../../src/stores/redis/index.ts'
import { fieldOf } from '../../src/stores/redis/keys.ts'
import { linkedBy, linkTo, reservationFields, reservationFrom } from '../../src/stores/redis/reservations.ts'
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

/** Sends the same batch until its outcome is certain (O2). */
export async function certain(store: Store, sent: Batch): Promise<Answer> {
  for (;;) {
    try {
      return await store.exchange(sent)
    } catch (error) {
      if (!(error instanceof StoreError) || !error.transient) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
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
    if (row.keepUntil !== null && lessees === 0 && row.reserved === 0) removable.push(field)
    if (row.wantedUntil > 0) wanted.push(field)
  }
  expect((await client.zrange(key('k'), '0', '-1')).toSorted()).toEqual(removable.toSorted())
  expect((await client.zrange(key('w'), '0', '-1')).toSorted()).toEqual(wanted.toSorted())
  expect(await client.zcard(key('i'))).toBe(Object.keys(rows).length)
  await assertReservations(client, key, rows)
  await assertNamesListed(client, key)
  // P2
  const budgets = Object.entries(rows).map(([field, bytes]) => unpackBudget(rowNameFrom(Buffer.from(field)), bytes).row)
  const highest = Math.max(0, ...budgets.map(({ kind, version }) => (kind === 'window' ? version : 0)))
  expect(Number((await client.hget(key('s'), 'versions')) ?? Infinity)).toBeGreaterThanOrEqual(highest)
}

/** P6: once something was deleted, all names of mints and reservations are listed, and before that none; marks are those of epochs that are known. */
async function assertNamesListed(client: Redis, key: (name: string) => string): Promise<void> {
  const isListed = (await client.hget(key('s'), 'deletions')) !== null
  for (const [hash, index] of [
    ['m', 'j'],
    ['r', 'q'],
  ] as const) {
    const names = isListed ? await client.hkeys(key(hash)) : []
    expect(await client.zrange(key(index), '0', '-1')).toEqual(
      names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    )
  }
  const owners = await client.hkeys(key('o'))
  const marked = (await client.keys(key('u:*'))).map((name) => name.slice(key('u:').length))
  expect(owners).toEqual(expect.arrayContaining(marked))
}

/** R2: what is reserved of a row is the sum over its reservations; each is found by all its names, and will be swept. */
async function assertReservations(
  client: Redis,
  key: (name: string) => string,
  rows: Readonly<Record<string, Buffer>>,
): Promise<void> {
  const kept = await client.hgetall(key('r'))
  const reserved = new Map<string, number>()
  const expected: Record<string, string> = {}
  const sweeps: Record<string, number> = {}
  for (const [field, value] of Object.entries(kept)) {
    if (linkedBy(value) !== undefined) continue
    const row = reservationFrom(field, value)
    const { own, others } = reservationFields(row)
    expected[own] = value
    sweeps[own] = sweepAtOf(row)
    for (const other of others) expected[other] = linkTo(own)
    for (const { state, sources } of row.lots) {
      if (state === 'final') continue
      for (const { key: its, period, charged } of sources) {
        const name = fieldOf({ key: its, period: period ?? -1 })
        reserved.set(name, (reserved.get(name) ?? 0) + charged)
      }
    }
  }
  expect(kept).toEqual(expected)
  const scores = await client.zrange(key('t'), '0', '-1', 'WITHSCORES')
  expect(scores).toEqual(
    Object.entries(sweeps)
      .toSorted(([a, one], [b, other]) => one - other || Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .flatMap(([field, score]) => [field, String(score)]),
  )
  expect(await client.hmget(key('s'), 'reservations', 'names')).toEqual(
    [Object.keys(sweeps), Object.keys(kept)].map(({ length }) => String(length)),
  )
  for (const [field, bytes] of Object.entries(rows)) {
    const { row } = unpackBudget(rowNameFrom(Buffer.from(field)), bytes)
    expect({ field, reserved: row.reserved }).toEqual({ field, reserved: reserved.get(field) ?? 0 })
  }
}
