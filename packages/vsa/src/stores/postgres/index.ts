import { randomUUID } from 'node:crypto'
import { onceEach } from '../../core/once-each.ts'
import { assertBoolean, assertMethods, assertOptions } from '../../core/options.ts'
import type { Store } from '../../core/store.ts'
import { adaptedStore } from '../../core/adapted-store.ts'
import { checkUpkeep } from '../../core/store-from-options.ts'
import { assertWhole } from '../../core/units.ts'
import { PostgresAdapter } from './adapter.ts'
import type { PostgresPool } from './pool.ts'
import { assertSchema } from './schema-name.ts'

export type { PostgresClient, PostgresPool } from './pool.ts'
export * from './user-transactions.ts'

const warnOnce = onceEach((warning) => console.warn(warning))

/** One day: an owner without exchanges for longer should not hold leases. */
const LEASE_TTL_MS_MAX = 86_400_000

export interface PostgresOptions {
  /** The schema that holds the tables, any name of at most 63 bytes. It is made where there is none. Default `vsa`. */
  readonly schema?: string
  /** An owner is reaped this long after its last exchange, in ms, 1 to 86,400,000. Default 10,000. */
  readonly leaseTtlMs?: number
  /**
   * A failover may lose what was acknowledged: owners remember what they were answered, and tell it when a standby was promoted (F4). Default, read when an
   * owner joins: whether there is a standby for which no commit waits (`synchronous_standby_names` is empty, or `synchronous_commit` of the role is `local` or
   * `remote_write`), or one was promoted before. A standby that is connected later is looked for in each third of a lease lifetime, and told by an answer. A promotion is noticed in any case, and nothing is granted for one lease lifetime after it (F3), unless
   * this is false: then no failover loses anything, says the user.
   */
  readonly mayForget?: boolean
  /**
   * Refuses a server that may lose what it acknowledged: one with a standby for which no commit waits, unless `mayForget` is false, or with `full_page_writes`
   * off. Default false: one warning says what may be lost.
   */
  readonly strict?: boolean
  /**
   * Decides plain batches by one function on the server, in one round trip: policies, leases, spending, refunds, durable admissions and counters. What is
   * rare goes the general way, in two. Default true; false sends everything there.
   */
  readonly fastPath?: boolean
  /**
   * How often a call is preceded by upkeep (reaping, burning, pruning), in ms; 0: each call. Left out while the fast path finds nothing to do. Default 100.
   */
  readonly upkeepEveryMs?: number
  /** The most leases burned and rows removed by one upkeep, each, besides as many as were made since the last one; from 1. Default 200. */
  readonly upkeepRowsMax?: number
}

const OPTIONS = Object.keys({
  schema: true,
  leaseTtlMs: true,
  mayForget: true,
  strict: true,
  fastPath: true,
  upkeepEveryMs: true,
  upkeepRowsMax: true,
} satisfies Record<keyof PostgresOptions, true>)

/**
 * A store in one schema of a Postgres database (13 or newer), for any number of processes on any number of hosts. An exchange that has been answered is
 * durable on the server, whatever `synchronous_commit` of the role is. Time is the server's. The first call makes the tables where there are none, and changes
 * those of an older version.
 *
 * `store_unsafe` refuses a server with `fsync = off`, a standby, and tables that are unlogged. Of a server that may lose what it acknowledged in another way, one
 * warning (`console.warn`) says so; `strict` refuses it. That is read when the store is opened, and again when an owner joins.
 *
 * An exchange takes one connection of the pool for two messages, `begin` with all reads and locks, then all writes with `commit`. Give the pool a
 * `query_timeout` and a `connectionTimeoutMillis`, so that a server that does not answer is noticed. A listener for the pool's errors
 * is added while the store is open, because without one a restart of the server ends the process.
 *
 * @param pool of `pg`, or one with the same methods. It is not ended by `close`
 * @throws TypeError or RangeError for a bad argument. Failures of the server come from the calls, as `StoreError`
 */
export function postgres(pool: PostgresPool, options: PostgresOptions = {}): Store {
  assertMethods('pool', pool, 'a pool of connections, such as the Pool of pg', ['connect'])
  assertOptions('options', options, OPTIONS)
  const { schema = 'vsa', leaseTtlMs = 10_000, fastPath = true, strict = false, mayForget } = options
  assertBoolean('options.fastPath', fastPath)
  assertBoolean('options.strict', strict)
  if (mayForget !== undefined) assertBoolean('options.mayForget', mayForget)
  assertSchema(schema)
  assertWhole('options.leaseTtlMs', leaseTtlMs, { min: 1, max: LEASE_TTL_MS_MAX, of: 'milliseconds' })
  const settings = { now: () => performance.now(), ...checkUpkeep(options) }
  const adapter = new PostgresAdapter(pool, { schema, leaseTtlMs, fastPath, strict, mayForget, warn: warnOnce })
  return adaptedStore(adapter, settings, randomUUID)
}
