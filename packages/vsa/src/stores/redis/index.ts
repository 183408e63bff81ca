import { randomUUID } from 'node:crypto'
import { adaptedStore } from '../../core/adapted-store.ts'
import { onceEach } from '../../core/once-each.ts'
import { assertBoolean, assertMethods, assertOptions } from '../../core/options.ts'
import type { Store } from '../../core/store.ts'
import { checkUpkeep } from '../../core/store-from-options.ts'
import { assertWhole } from '../../core/units.ts'
import { RedisAdapter } from './adapter.ts'
import { backoff } from './backoff.ts'
import type { RedisClient } from './client.ts'
import { assertPrefix } from './prefix.ts'

export type {
  IoredisClient,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisSentinel,
  RedisArgument,
  RedisClient,
} from './client.ts'

const warnOnce = onceEach((warning) => console.warn(warning))

/** One day: an owner without exchanges for longer should not hold leases. */
const LEASE_TTL_MS_MAX = 86_400_000

export interface RedisOptions {
  /** All keys are `{prefix}:…`: 1 to 200 characters without braces. Default `vsa`. */
  readonly prefix?: string
  /** An owner is reaped this long after its last exchange, in ms, 1 to 86,400,000. Default 10,000. */
  readonly leaseTtlMs?: number
  /** Refuses a server that may forget what it acknowledged: all but `appendfsync always` without replicas. Default false: one warning says what may be lost. */
  readonly strict?: boolean
  /**
   * Decides plain batches by one script, in one round trip: policies, leases, spending, refunds, mints, durable admissions and counters. What is rare goes the general
   * way, in two. Default true; false sends everything there.
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
  prefix: true,
  leaseTtlMs: true,
  strict: true,
  fastPath: true,
  upkeepEveryMs: true,
  upkeepRowsMax: true,
} satisfies Record<keyof RedisOptions, true>)

/**
 * A store in Redis (6.2 or newer), for any number of processes on any number of hosts. All its keys are in one slot of a cluster. An exchange that has been
 * answered is as durable as the server makes it: with `appendonly yes`, `appendfsync always` and no replicas it survives a power cut. Of any other server,
 * one warning (`console.warn`) says what may be lost; `strict` refuses it. After a restart or failover of such a server nothing is granted for one lease
 * lifetime, in which its owners tell what they were answered (F3). Time is the server's.
 *
 * `store_unsafe` refuses a replica and a `maxmemory-policy` of `allkeys-…`, which removes rows without a trace. `store_damaged` says that rows
 * are missing: nothing is decided until an operator has restored them.
 *
 * A store of an older version is changed in place when it is opened. Processes of that version are refused from then on (`schema_too_new`), and their leases
 * burn when they expire. The first deletion of a key (P6) changes the store once more: from then on a process that does not know of deletions is refused, too, because it would
 * go on with leases that are gone.
 *
 * Give the client a bound: of ioredis `commandTimeout`, and to fail fast `enableOfflineQueue: false`, `autoResendUnfulfilledCommands: false` and
 * `maxRetriesPerRequest: 0`; of node-redis `disableOfflineQueue: true`.
 *
 * @param client of `ioredis`, or of `redis` and connected; single, behind Sentinel, or a cluster. It is not closed by `close`
 * @throws TypeError or RangeError for a bad argument. Failures of the server come from the calls, as `StoreError`
 */
export function redis(client: RedisClient, options: RedisOptions = {}): Store {
  assertClient(client)
  assertOptions('options', options, OPTIONS)
  const { prefix = 'vsa', leaseTtlMs = 10_000, strict = false, fastPath = true } = options
  assertPrefix(prefix)
  assertWhole('options.leaseTtlMs', leaseTtlMs, { min: 1, max: LEASE_TTL_MS_MAX, of: 'milliseconds' })
  assertBoolean('options.strict', strict)
  assertBoolean('options.fastPath', fastPath)
  const adapter = new RedisAdapter(client, {
    prefix,
    leaseTtlMs,
    strict,
    fastPath,
    newGeneration: randomUUID,
    warn: warnOnce,
  })
  const pause = backoff({ random: Math.random, sleep })
  return adaptedStore(adapter, { now: () => performance.now(), pause, ...checkUpkeep(options) }, randomUUID)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

function assertClient(client: unknown): void {
  const what = 'a client of Redis, such as the Redis of ioredis'
  const isIoredis = typeof client === 'object' && client !== null && 'callBuffer' in client
  assertMethods('client', client, what, isIoredis ? ['callBuffer'] : ['withTypeMapping', 'sendCommand'])
}
