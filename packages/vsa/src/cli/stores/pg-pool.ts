import type { PostgresPool } from '../../stores/postgres/pool.ts'
import type { CommandError } from '../report.ts'
import { driverMissing, loadModule, memberOf, type Load } from './load-module.ts'

/** A pool of `pg`. */
export interface EndingPool extends PostgresPool {
  /** Closes its connections, once they were given back. */
  end(): Promise<void>
}

/** Connections at once: an engine has one exchange in flight, and upkeep. */
const CONNECTIONS_MAX = 4
const CONNECT_WITHIN_MS = 10_000
const ANSWER_WITHIN_MS = 30_000

interface PoolConstructor {
  new (config: object): EndingPool
}

/**
 * Runs `work` with a pool of connections, and ends it then.
 * @throws CommandError `driver_missing`
 */
export async function withPool<T>(
  url: string,
  work: (pool: EndingPool) => Promise<T>,
  load: Load = loadModule,
): Promise<T> {
  const pool = await openPool(url, load)
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

/** A pool that the caller ends. No connection is made yet. @throws CommandError `driver_missing` */
export async function openPool(url: string, load: Load = loadModule): Promise<EndingPool> {
  const Pool = await loadPool(load)
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
    fallback_application_name: 'vsa',
  })
  // An idle connection that breaks would end the process. The next call says so by itself.
  pool.on?.('error', () => undefined)
  return pool
}

async function loadPool(load: Load): Promise<PoolConstructor> {
  let module: unknown
  try {
    module = await load('pg')
  } catch (cause) {
    throw notLoaded(cause)
  }
  const Pool = memberOf(module, 'Pool') ?? memberOf(memberOf(module, 'default'), 'Pool')
  if (typeof Pool !== 'function') throw notLoaded(new Error('it has no Pool'))
  // The client is known by its name; a class cannot be checked further without a server.
  return Pool as unknown as PoolConstructor
}

function notLoaded(cause: unknown): CommandError {
  return driverMissing('a Postgres store needs the client pg: npm install pg', cause)
}
