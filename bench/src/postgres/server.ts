import { Pool } from 'pg'
import { postgresServer } from 'vsa-servers'

/** A throw-away server with its own count of statements. */
export interface BenchServer {
  readonly url: string
  readonly pool: Pool
  /** Statements that clients have sent so far and that name this schema, as the server counted them. */
  statements(schema: string): Promise<number>
  stop(): Promise<void>
}

export async function benchServer(): Promise<BenchServer> {
  const server = await postgresServer({
    options: ['shared_preload_libraries=pg_stat_statements', 'max_connections=200'],
  })
  if ('reason' in server) throw new Error(server.reason)
  const { url } = server
  const pool = new Pool({ connectionString: url, max: 4 })
  pool.on('error', () => undefined)
  await pool.query('create extension pg_stat_statements')
  return {
    url,
    pool,
    statements: async (schema) => {
      // Statements of a transaction that do not name the schema, such as BEGIN, are counted as well: nobody else is on this server.
      const { rows } = await pool.query<{ calls: number }>(
        `select coalesce(sum(calls), 0)::int calls from pg_stat_statements where query not like '%pg_stat_statements%' and (query like $1 or query !~ '"')`,
        [`%${schema}%`],
      )
      return rows[0]?.calls ?? Number.NaN
    },
    stop: async () => {
      await pool.end()
      await server.stop()
    },
  }
}
