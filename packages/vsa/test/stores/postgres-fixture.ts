import { Pool, type PoolConfig } from 'pg'
import { onTestFinished } from 'vitest'
import type { Store } from '../../src/core/store.ts'
import {
  postgres,
  type PostgresClient,
  type PostgresOptions,
  type PostgresPool,
} from '../../src/stores/postgres/index.ts'

let schemas = 0

/** Of an adapter that is made without `postgres`. */
export const ADAPTER_SETTINGS = {
  leaseTtlMs: 10_000,
  fastPath: true,
  strict: false,
  mayForget: undefined,
  warn: (warning: string): void => console.warn(warning),
} as const

/** A name that no other test uses. */
export function newSchema(): string {
  schemas += 1
  return `test_${process.pid}_${schemas}`
}

/** Removes what {@link newSchema} has named, from a server that is used again. */
export async function dropSchemas(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select quote_ident(nspname) as name from pg_namespace where starts_with(nspname, 'test_${process.pid}_')`,
  )
  for (const { name } of rows) await pool.query(`drop schema ${name} cascade`)
}

/** A pool that the caller ends. */
export function newPool(url: string, config: PoolConfig = {}): Pool {
  const pool = new Pool({ connectionString: url, ...config })
  // Tests end connections at the side of the server; and `end` resolves before all connections are closed.
  pool.on('error', () => undefined)
  return pool
}

/** A pool that ends with the test. */
export function poolOn(url: string, config: PoolConfig = {}): Pool {
  const pool = newPool(url, config)
  onTestFinished(() => (pool.ended ? undefined : pool.end()))
  return pool
}

/** A store that is closed with the test. */
export function storeOn(pool: PostgresPool, options: PostgresOptions = {}): Store {
  const store = postgres(pool, { upkeepEveryMs: 3_600_000, ...options })
  onTestFinished(() => store.close())
  return store
}

/** Resolves when a statement that names the schema waits for a lock; the number of its server process. */
export async function waiterOn(pool: Pool, schema: string): Promise<number> {
  for (;;) {
    const { rows } = await pool.query<{ pid: number }>(
      `select pid from pg_stat_activity where wait_event_type = 'Lock' and position($1 in query) > 0`,
      [schema],
    )
    const [waiter] = rows
    if (waiter !== undefined) return waiter.pid
  }
}

/** Asks the server until the condition holds, however long that takes: the time-out of the test ends it. */
export async function until(pool: Pool, condition: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ holds: boolean }>(`select ${condition} holds`)
    if (rows[0]?.holds === true) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** R2: what the reservations have set aside, as a query of the columns `key`, `period` and `charged`. */
export function reservedBy(schema: string): string {
  return `select s ->> 'key' as key, (s ->> 'period')::bigint as period, sum((s ->> 'charged')::bigint) as charged
from ${schema}.reservation r, json_array_elements(r.lots::json) l, json_array_elements(l -> 'sources') s
where l ->> 'state' <> 'final' and s ->> 'period' is not null group by 1, 2`
}

/** A pool whose commits, once `hold` was called, wait until `goOn`: what they have written is there, and not committed. */
export function heldCommits(pool: Pool): {
  readonly pool: PostgresPool
  readonly isHeld: Promise<void>
  hold(): void
  goOn(): void
} {
  let holds = false
  const [held, released] = [signal(), signal()]
  const connect = async (): Promise<PostgresClient> => {
    const client = await pool.connect()
    const query = async (text: string): Promise<unknown> => {
      if (!holds || !text.endsWith('\ncommit')) return client.query(text)
      holds = false
      await client.query(text.slice(0, -'commit'.length))
      held.give()
      await released.given
      return client.query('commit')
    }
    return { query, release: (destroy) => client.release(destroy) }
  }
  const hold = (): void => {
    holds = true
  }
  return { pool: { connect }, isHeld: held.given, hold, goOn: released.give }
}

/** A promise, and what resolves it. */
export function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}
