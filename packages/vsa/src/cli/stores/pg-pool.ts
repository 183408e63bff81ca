import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PostgresPool } from '../../stores/postgres/pool.ts'
import { CommandError } from '../report.ts'

/** A pool of `pg`. */
export interface EndingPool extends PostgresPool {
  /** Closes its connections, once they were given back. */
  end(): Promise<void>
}

/** Connections at once: an engine has one exchange in flight, and upkeep. */
const CONNECTIONS_MAX = 4
const CONNECT_WITHIN_MS = 10_000
const ANSWER_WITHIN_MS = 30_000

/** Loads a module by its name. */
export type Load = (name: string) => Promise<unknown>

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

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined
}

/** As seen from this package, or else from the working directory, where `npm install` has put it for `npx vsa`. */
async function loadModule(name: string): Promise<unknown> {
  try {
    return await import(name)
  } catch (error) {
    if (!isMissing(error)) throw error
    const here = createRequire(join(process.cwd(), 'package.json'))
    return import(pathToFileURL(here.resolve(name)).href)
  }
}

function isMissing(error: unknown): boolean {
  const code = memberOf(error, 'code')
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}

function notLoaded(cause: unknown): CommandError {
  const why = isMissing(cause) || !(cause instanceof Error) ? '' : ` (${cause.message})`
  return new CommandError('driver_missing', `a Postgres store needs the client pg: npm install pg${why}`, { cause })
}
