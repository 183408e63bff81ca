import { randomUUID } from 'node:crypto'
import { adaptedStore } from './core/adapted-store.ts'
import type { StoreAdapter } from './core/adapter.ts'
import type { Store } from './core/store.ts'
import type { StoreFromOptions } from './core/store-from-options.ts'

/**
 * Makes a store out of an adapter: load, transition, save, with a retry on a version conflict. Upkeep is a separate transaction: after each
 * join, before an exchange when it is due, and before each exchange while more work is left than one upkeep does.
 * @throws TypeError, RangeError that name the argument
 */
export function storeFrom(adapter: StoreAdapter, options: StoreFromOptions): Store {
  return adaptedStore(adapter, options, randomUUID)
}
