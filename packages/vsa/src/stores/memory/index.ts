import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { assertFunction, assertOptions } from '../../core/options.ts'
import type { Store } from '../../core/store.ts'
import { adaptedStore } from '../../core/adapted-store.ts'
import { checkUpkeep } from '../../core/store-from-options.ts'
import { assertWhole } from '../../core/units.ts'
import { WallTime } from '../../core/wall-time.ts'
import { MemoryAdapter } from './adapter.ts'

export interface MemoryOptions {
  /** Store time, ms since 1970. Default: that of the engine's clock where `open` is given one, else the machine's wall clock. */
  readonly now?: () => number
  /** An owner is reaped this long after its last exchange, in ms, 1 to 86,400,000. Default 10,000. */
  readonly leaseTtlMs?: number
  /** How often a call is preceded by upkeep (burning, pruning), in ms, from 0. Default 100. */
  readonly upkeepEveryMs?: number
  /** The most leases burned and rows removed by one upkeep, each, besides as many as were made since the last one; from 1. Default 200. */
  readonly upkeepRowsMax?: number
}

const OPTIONS = Object.keys({
  now: true,
  leaseTtlMs: true,
  upkeepEveryMs: true,
  upkeepRowsMax: true,
} satisfies Record<keyof MemoryOptions, true>)
/** One day: an owner without exchanges for longer should not hold leases. */
const LEASE_TTL_MS_MAX = 86_400_000

/**
 * A store in this process's memory: exact, shared by every engine opened on it, and lost when the process ends.
 * For tests: nothing is durable.
 * @throws TypeError, RangeError that name the option
 */
export function memory(options: MemoryOptions = {}): Store {
  assertOptions('options', options, OPTIONS)
  const { now, leaseTtlMs = 10_000 } = options
  if (now !== undefined) assertFunction('options.now', now)
  assertWhole('options.leaseTtlMs', leaseTtlMs, { min: 1, max: LEASE_TTL_MS_MAX, of: 'milliseconds' })
  const time = new WallTime(now, { now: () => Date.now(), monotonic: () => performance.now() })
  const useClock = (clock: Clock): void => void time.useClock(clock)
  const settings = { now: time.steady, useClock, ...checkUpkeep(options) }
  return adaptedStore(new MemoryAdapter(time.now, leaseTtlMs), settings, randomUUID)
}
