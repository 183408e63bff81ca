import { randomUUID } from 'node:crypto'
import type { Store } from '../../core/store.ts'
import { storeFrom } from '../../core/store-from.ts'
import { assertUnits } from '../../core/units.ts'
import { MemoryAdapter } from './adapter.ts'

export interface MemoryOptions {
  /** Store time, ms since 1970. Default: the machine's wall clock. */
  readonly now?: () => number
  /** An owner is reaped this long after its last exchange, in ms, 1 to 86,400,000. Default 10,000. */
  readonly leaseTtlMs?: number
  /** How often a call is preceded by upkeep (burning, pruning), in ms, from 0. Default 100. */
  readonly upkeepEveryMs?: number
  /** The most leases burned and rows removed by one upkeep, each, besides as many as were made since the last one; from 1. Default 200. */
  readonly upkeepRowsMax?: number
  /** Makes the token of a new epoch: a text that is never made again. Default: a random UUID. */
  readonly newToken?: () => string
}

/**
 * A store in this process's memory: exact, shared by every engine opened on it, and lost when the process ends.
 * For tests: nothing is durable.
 * @throws TypeError, RangeError that name the option
 */
export function memory(options: MemoryOptions = {}): Store {
  const { now = () => Date.now(), leaseTtlMs = 10_000, upkeepEveryMs, upkeepRowsMax, newToken = randomUUID } = options
  assertUnits('leaseTtlMs', leaseTtlMs, 1)
  if (upkeepEveryMs !== undefined) assertUnits('upkeepEveryMs', upkeepEveryMs)
  if (upkeepRowsMax !== undefined) assertUnits('upkeepRowsMax', upkeepRowsMax, 1)
  return storeFrom(new MemoryAdapter(now, leaseTtlMs), { now, newToken, upkeepEveryMs, upkeepRowsMax })
}
