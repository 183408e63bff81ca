import { Redis } from 'ioredis'
import { Pool } from 'pg'
import type { Store } from 'vsa'
import { postgres } from 'vsa/postgres'
import { redis } from 'vsa/redis'
import { sqlite } from 'vsa/sqlite'

/** Which store a run is about. */
export type StoreKind = 'sqlite' | 'postgres' | 'redis'

export interface StoreOptions {
  readonly leaseTtlMs: number
  /** SQLite on a thread of its own. */
  readonly thread: boolean
}

/** @param place as `vsa verify` takes it: the path of a SQLite file, the URL of a Postgres server with `schema`, or of a Redis server with `prefix` */
export function storeAt(place: string, { leaseTtlMs, thread }: StoreOptions): Store {
  if (isRedis(place)) return redisAt(place, leaseTtlMs)
  if (!isPostgres(place)) return sqlite(place, { leaseTtlMs, thread })
  const { url, store: schema } = partsOf(place, 'schema')
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: 1_000,
    query_timeout: 5_000,
    allowExitOnIdle: true,
  })
  // Its connections outlive the store, and the server is killed again and again.
  pool.on('error', () => undefined)
  return postgres(pool, { schema, leaseTtlMs })
}

/** Whether owners that have died are known at once. Else they are when they expire. */
export function knowsDeadOwners(place: string): boolean {
  return !isPostgres(place) && !isRedis(place)
}

function isRedis(place: string): boolean {
  return place.startsWith('redis://')
}

/** A client that says at once that the server is away, as docs/stores.md advises. */
function redisClient(url: string): Redis {
  const client = new Redis(url, {
    commandTimeout: 5_000,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 50,
  })
  // The server is killed again and again.
  return client.on('error', () => undefined)
}

/** Its client ends with it. */
function redisAt(place: string, leaseTtlMs: number): Store {
  const { url, store: prefix } = partsOf(place, 'prefix')
  const client = redisClient(url)
  const store = redis(client, { prefix, leaseTtlMs, strict: true })
  const close = store.close.bind(store)
  store.close = async () => {
    await close()
    client.disconnect()
  }
  return store
}

function isPostgres(place: string): boolean {
  return place.startsWith('postgres://')
}

function partsOf(place: string, parameter: string): { readonly url: string; readonly store: string } {
  const url = new URL(place)
  const store = url.searchParams.get(parameter) ?? 'vsa'
  url.searchParams.delete(parameter)
  return { url: url.href, store }
}
