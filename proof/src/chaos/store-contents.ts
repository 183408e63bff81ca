import { StoreError, type ListedRow, type OwnerRow, type RowName } from 'vsa'
import type * as StoreReader from '../../../packages/vsa/dist/cli/store-reader.js'
import type * as PlaceOf from '../../../packages/vsa/dist/cli/stores/place-of.js'
import { redis } from 'vsa/redis'
import { moduleOf, SHIPPED } from '../subject.ts'
import { isRedis, partsOf, redisClient } from './chaos-store.ts'

/** All rows: of a file at one moment, of a server page by page. */
export interface StoreContents {
  readonly rows: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: ReadonlyMap<string, number>
}

const { inspecting, visitRows, countersOf } = await moduleOf<typeof StoreReader>(SHIPPED, 'cli/store-reader.js')
const { placeOf } = await moduleOf<typeof PlaceOf>(SHIPPED, 'cli/stores/place-of.js')

/**
 * Reads all rows, also while other processes write them.
 * @param place as `vsa verify` takes it, or the URL of a Redis server as for `storeAt`
 * @throws Error for a row that cannot be read, or whose sums are not those of its leases; StoreError
 */
export function readStore(place: string): Promise<StoreContents> {
  if (isRedis(place)) return readRedis(place)
  return inspecting(placeOf(place), async (inspection) => ({
    rows: await rowsIn(inspection),
    owners: await inspection.owners(),
    counters: new Map((await countersOf(inspection)).map(({ key, value }) => [key, value])),
  }))
}

async function rowsIn(inspection: Parameters<typeof visitRows>[0]): Promise<readonly ListedRow[]> {
  const rows: ListedRow[] = []
  await visitRows(inspection, {
    row: ({ budget, leases, faults }) => {
      if (faults !== undefined) throw new Error(`the row ${budget.key} of ${budget.period}: ${faults.join('; ')}`)
      rows.push({ budget, leases })
    },
    unreadable: ({ key, period, detail }) => {
      throw new Error(`the row ${key} of ${period} cannot be read: ${detail}`)
    },
  })
  return rows
}

/** The server of the store is being killed or started. */
export function isAway(error: unknown): boolean {
  if (error instanceof StoreError) return error.transient
  // What ioredis says by itself.
  return error instanceof Error && /ECONNRE|max retries|Connection is closed|LOADING/.test(error.message)
}

const PAGE_ROWS = 1_000

async function readRedis(place: string): Promise<StoreContents> {
  const { url, schema } = partsOf(place)
  const client = redisClient(url)
  const store = redis(client, { prefix: schema })
  try {
    const rows: ListedRow[] = []
    for (let after: RowName | undefined; ;) {
      const page = await store.list({ limit: PAGE_ROWS, ...(after && { after }) })
      rows.push(...page.rows)
      after = page.rows.at(-1)?.budget
      if (after === undefined) break
    }
    const owners = await store.owners()
    const counters = Object.entries(await client.hgetall(`{${schema}}:c`))
    return { rows, owners, counters: new Map(counters.map(([key, value]) => [key, Number(value)])) }
  } finally {
    client.disconnect()
  }
}
