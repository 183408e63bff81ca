import { Pool } from 'pg'
import type { Store } from 'vsa'
import { postgres } from 'vsa/postgres'
import { sqlite } from 'vsa/sqlite'

/** Which store a run is about. */
export type StoreKind = 'sqlite' | 'postgres'

export interface StoreOptions {
  readonly leaseTtlMs: number
  /** SQLite on a thread of its own. */
  readonly thread: boolean
}

/** @param place the path of a SQLite file, or the URL of a Postgres server with a query parameter `schema`, as `vsa verify` takes them */
export function storeAt(place: string, { leaseTtlMs, thread }: StoreOptions): Store {
  if (!isPostgres(place)) return sqlite(place, { leaseTtlMs, thread })
  const { url, schema } = partsOf(place)
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
  return !isPostgres(place)
}

function isPostgres(place: string): boolean {
  return place.startsWith('postgres://')
}

function partsOf(place: string): { readonly url: string; readonly schema: string } {
  const url = new URL(place)
  const schema = url.searchParams.get('schema') ?? 'vsa'
  url.searchParams.delete('schema')
  return { url: url.href, schema }
}
