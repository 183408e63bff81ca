import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { assertBoolean, assertOptions } from '../../core/options.ts'
import type { Store } from '../../core/store.ts'
import { adaptedStore } from '../../core/adapted-store.ts'
import { checkUpkeep } from '../../core/store-from-options.ts'
import { assertWhole, describe } from '../../core/units.ts'
import { WallTime } from '../../core/wall-time.ts'
import { SqliteAdapter } from './adapter.ts'
import type { DatabaseConstructor, DriverName } from './client/driver.ts'
import { MACHINE, nowOf, type SharedTime } from './shared-time.ts'
import { ThreadStore } from './thread/thread-store.ts'

export type { ClientDatabase, ClientStatement, DatabaseConstructor, DriverName } from './client/driver.ts'
export type { SharedTime } from './shared-time.ts'

/** One day: an owner without exchanges for longer should not hold leases. */
const LEASE_TTL_MS_MAX = 86_400_000
const BUSY_TIMEOUT_MS_MAX = 600_000
const DRIVERS: readonly unknown[] = ['node:sqlite', 'libsql', 'better-sqlite3'] satisfies readonly DriverName[]

export interface SqliteOptions {
  /**
   * The SQLite client: its name, or its `Database` class. Default: `node:sqlite` where Node has it (22.13), else `libsql`, else `better-sqlite3`,
   * whichever is installed. All stores on one file in one process must use the same client: two copies of SQLite would drop each other's locks.
   */
  readonly driver?: DriverName | DatabaseConstructor
  /**
   * Runs SQLite on a thread of its own, so that no commit blocks the event loop. Default: true; false for a `Database` class, which cannot
   * be sent to a thread. Set it to false for bundlers that lose worker files. Close the engine before you `terminate()` a worker of your own that
   * uses libsql: libsql may abort the process otherwise.
   */
  readonly thread?: boolean
  /** An owner is reaped this long after its last exchange, in ms, 1 to 86,400,000. Default 10,000. */
  readonly leaseTtlMs?: number
  /** How long a transaction waits for other processes that write the same file, in ms, 0 to 600,000. Default 5,000. */
  readonly busyTimeoutMs?: number
  /**
   * Store time, ms since 1970, for tests: a function with `thread: false`, a {@link SharedTime} with a thread, because a function cannot be sent to a thread.
   * Default: that of the engine's clock where `open` is given one, else the machine's wall clock.
   */
  readonly now?: (() => number) | SharedTime
  /** How often a call is preceded by upkeep (reaping, burning, pruning), in ms, from 0. Default 100. */
  readonly upkeepEveryMs?: number
  /** The most leases burned and rows removed by one upkeep, each, besides as many as were made since the last one; from 1. Default 200. */
  readonly upkeepRowsMax?: number
}

const OPTIONS = Object.keys({
  driver: true,
  thread: true,
  leaseTtlMs: true,
  busyTimeoutMs: true,
  now: true,
  upkeepEveryMs: true,
  upkeepRowsMax: true,
} satisfies Record<keyof SqliteOptions, true>)

/**
 * A store in one SQLite file, for any number of processes on one host. WAL and synchronous=FULL: an exchange that has been answered survives a
 * power cut. The first `join` opens the file, and creates it when there is none; its folder must exist.
 *
 * @param path of the file; a relative path is resolved against the current working directory now
 * @throws TypeError or RangeError for a bad argument. Failures of the file come from the calls, as `StoreError`
 */
export function sqlite(path: string, options: SqliteOptions = {}): Store {
  assertPath(path)
  assertOptions('options', options, OPTIONS)
  const { driver, leaseTtlMs = 10_000, busyTimeoutMs = 5_000 } = options
  const { thread = typeof driver !== 'function' } = options
  assertWhole('options.leaseTtlMs', leaseTtlMs, { min: 1, max: LEASE_TTL_MS_MAX, of: 'milliseconds' })
  assertWhole('options.busyTimeoutMs', busyTimeoutMs, { min: 0, max: BUSY_TIMEOUT_MS_MAX, of: 'milliseconds' })
  assertBoolean('options.thread', thread)
  assertTime(options.now)
  if (driver !== undefined && typeof driver !== 'function' && !DRIVERS.includes(driver)) {
    const allowed = `one of ${DRIVERS.join(', ')}, or a Database class`
    throw new TypeError(`options.driver must be ${allowed}, got ${describe(driver)}`)
  }
  const settings = { path: resolve(path), leaseTtlMs, busyTimeoutMs }
  const upkeep = checkUpkeep(options)
  if (!thread) {
    const time = new WallTime(typeof options.now === 'object' ? nowOf(options.now) : options.now, MACHINE)
    const useClock = (clock: Clock): void => void time.useClock(clock)
    const adapter = new SqliteAdapter(driver, settings, time.now)
    return adaptedStore(adapter, { now: time.steady, useClock, ...upkeep }, randomUUID)
  }
  if (typeof driver === 'function')
    throw new TypeError('options.driver must be a name with thread: true: a Database class cannot cross to a thread')
  if (typeof options.now === 'function')
    throw new TypeError('options.now must be a SharedTime with thread: true: a function cannot cross to a thread')
  return new ThreadStore({ ...settings, driver, upkeep, time: options.now ?? null })
}

/** Clients accept strings that are not paths: `:memory:`, URIs, servers. None of them is a durable file. */
function assertPath(path: unknown): void {
  if (typeof path !== 'string') throw new TypeError(`path must be a string, got ${describe(path)}`)
  if (path === '' || path === ':memory:')
    throw new TypeError(`path must name a file, got ${describe(path)}; for a store in memory use vsa/memory`)
  if (/^file:|:\/\//.test(path)) throw new TypeError(`path must be a path, not a URL, got ${describe(path)}`)
  if (path.includes('\0')) throw new TypeError(`path must not contain NUL, got ${describe(path)}`)
}

function assertTime(now: unknown): void {
  if (now === undefined || typeof now === 'function') return
  assertOptions('options.now', now, ['buffer'] satisfies (keyof SharedTime)[])
  if (!('buffer' in now && now.buffer instanceof SharedArrayBuffer))
    throw new TypeError('options.now must be a function, or a SharedTime, whose buffer is a SharedArrayBuffer')
}
