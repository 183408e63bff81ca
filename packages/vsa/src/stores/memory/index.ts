import type { Store } from '../../core/store.ts'
import { assertUnits } from '../../core/units.ts'
import { MemoryStore } from './store.ts'

export interface MemoryOptions {
  /** Store time, ms since 1970. Default: the machine's wall clock. */
  readonly now?: () => number
  /** An owner is reaped this long after its last exchange, in ms, 1 to 86,400,000. Default 10,000. */
  readonly leaseTtlMs?: number
}

/**
 * A store in this process's memory: exact, shared by every engine that is opened on it, and gone with the process.
 * For tests and as the executable specification; nothing is durable.
 */
export function memory(options: MemoryOptions = {}): Store {
  const { now = () => Date.now(), leaseTtlMs = 10_000 } = options
  assertUnits('leaseTtlMs', leaseTtlMs, 1)
  return new MemoryStore(now, leaseTtlMs)
}
