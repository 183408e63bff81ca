import { Pool } from 'pg'
import { postgresServer } from 'vsa-servers'
import type { Baseline, BenchServer } from './bench-server.ts'
import { HOT, MINTED } from './owner-config.ts'
import { HAND_TABLE, postgresClient } from './postgres-client.ts'

/** With fsync on, and with `pg_stat_statements`. */
export async function postgresBench(): Promise<BenchServer> {
  const server = await postgresServer({
    options: ['shared_preload_libraries=pg_stat_statements', 'max_connections=200'],
  })
  if ('reason' in server) throw new Error(server.reason)
  const { url } = server
  const pool = new Pool({ connectionString: url, max: 4 })
  pool.on('error', () => undefined)
  await pool.query('create extension pg_stat_statements')
  return {
    kind: 'postgres',
    url,
    client: postgresClient(pool),
    calls: async (schema) => {
      // Statements of a transaction that do not name the schema, such as BEGIN, are counted as well: the benchmark has this server for itself.
      const { rows } = await pool.query<{ calls: number }>(
        `select coalesce(sum(calls), 0)::int calls from pg_stat_statements where query not like '%pg_stat_statements%' and (query like $1 or query !~ '"')`,
        [`%${schema}%`],
      )
      return rows[0]?.calls ?? Number.NaN
    },
    bytes: async (schema) => {
      const { rows } = await pool.query<{ bytes: string }>(
        `select coalesce(sum(pg_total_relation_size(oid)), 0) bytes from pg_class where relkind = 'r' and relnamespace = to_regnamespace($1)`,
        [schema],
      )
      return Number(rows[0]?.bytes)
    },
    beginByHand: async () => {
      await pool.query('create schema hand')
      await pool.query(
        `create table ${HAND_TABLE} (key text primary key, minted bigint, used bigint) with (fillfactor = 10)`,
      )
      await pool.query(`insert into ${HAND_TABLE} values ($1, $2, 0)`, [HOT, MINTED])
    },
    usedByHand: async () => {
      const { rows } = await pool.query<{ used: string }>(`select used from ${HAND_TABLE}`)
      return Number(rows[0]?.used)
    },
    baseline: (rows) => new Upsert(pool, rows),
    stop: async () => {
      await pool.end()
      await server.stop()
    },
  }
}

/** One upsert of as many rows of a table of four columns. */
class Upsert implements Baseline {
  readonly #pool: Pool
  readonly #table: string
  readonly #values: readonly unknown[]

  constructor(pool: Pool, rows: number) {
    this.#pool = pool
    this.#table = `upsert_${rows}`
    this.#values = [Array.from({ length: rows }, (_, row) => `tenants:${row}`), Array.from({ length: rows }, () => 1)]
  }

  async begin(): Promise<void> {
    const columns = 'key text primary key, used bigint not null, pool bigint not null, held bigint not null'
    await this.#pool.query(`create table ${this.#table} (${columns}) with (fillfactor = 70)`)
  }

  async run(): Promise<void> {
    await this.#pool.query(
      `insert into ${this.#table} select * from unnest($1::text[], $2::bigint[], $2::bigint[], $2::bigint[]) on conflict (key) do update
set used = ${this.#table}.used + excluded.used, pool = excluded.pool, held = excluded.held`,
      [...this.#values],
    )
  }

  async used(): Promise<number> {
    const { rows } = await this.#pool.query<{ used: string }>(`select sum(used) used from ${this.#table}`)
    return Number(rows[0]?.used)
  }
}
