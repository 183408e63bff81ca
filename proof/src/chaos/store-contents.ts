import { StoreError, type ListedRow, type OwnerRow, type RowName, type Store } from 'vsa'
import type * as StoreReader from '../../../packages/vsa/dist/cli/store-reader.js'
import { Pool } from 'pg'
import { postgres } from 'vsa/postgres'
import { redis } from 'vsa/redis'
import { moduleOf, SHIPPED } from '../subject.ts'
import { isPostgres, isRedis, partsOf, redisClient } from './chaos-store.ts'

/** All rows: of a file at one moment, of a server page by page. */
export interface StoreContents {
  readonly rows: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: ReadonlyMap<string, number>
}

const { inspecting, visitRows, countersOf } = await moduleOf<typeof StoreReader>(SHIPPED, 'cli/store-reader.js')

/** Reads all rows, also while other processes write them. @throws Error for a row that cannot be read */
export function readStore(place: string): Promise<StoreContents> {
  if (isPostgres(place)) return readPostgres(place)
  if (isRedis(place)) return readRedis(place)
  return inspecting(place, (inspection) => ({
    rows: rowsIn(inspection),
    owners: inspection.owners(),
    counters: new Map([...countersOf(inspection)].map(({ key, value }) => [key, value])),
  }))
}

function rowsIn(inspection: Parameters<typeof visitRows>[0]): readonly ListedRow[] {
  const rows: ListedRow[] = []
  visitRows(inspection, {
    row: (row) => rows.push(row),
    unreadable: ({ key, period, detail }) => {
      throw new Error(`the row ${key} of ${period} cannot be read: ${detail}`)
    },
  })
  return rows
}

const PAGE_ROWS = 1_000

/** The server of the store is being killed or started. */
export function isAway(error: unknown): boolean {
  if (error instanceof StoreError) return error.transient
  return (
    error instanceof Error &&
    /terminat|ECONNRE|starting up|shutting down|in recovery|max retries|Connection is closed|LOADING/.test(
      `${error.message} ${'code' in error ? String(error.code) : ''}`,
    )
  )
}

async function readPostgres(place: string): Promise<StoreContents> {
  const { url, schema } = partsOf(place)
  const pool = new Pool({ connectionString: url, max: 1 })
  // The server is killed again and again.
  pool.on('error', () => undefined)
  const store = postgres(pool, { schema })
  try {
    return await contentsOf(store, async () => {
      const { rows } = await pool.query<{ key: string; value: string }>(`select key, value from ${schema}.counter`)
      return rows.map(({ key, value }) => [key, value])
    })
  } finally {
    await store.close()
    await pool.end()
  }
}

async function readRedis(place: string): Promise<StoreContents> {
  const { url, schema } = partsOf(place)
  const client = redisClient(url)
  try {
    const counters = async (): Promise<[string, string][]> => Object.entries(await client.hgetall(`{${schema}}:c`))
    return await contentsOf(redis(client, { prefix: schema }), counters)
  } finally {
    client.disconnect()
  }
}

async function contentsOf(store: Store, counters: () => Promise<[string, string][]>): Promise<StoreContents> {
  const rows: ListedRow[] = []
  for (let after: RowName | undefined; ;) {
    const page = await store.list({ limit: PAGE_ROWS, ...(after && { after }) })
    rows.push(...page.rows)
    after = page.rows.at(-1)?.budget
    if (after === undefined) break
  }
  const owners = await store.owners()
  return { rows, owners, counters: new Map((await counters()).map(([key, value]) => [key, Number(value)])) }
}
