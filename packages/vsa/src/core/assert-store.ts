import { BATCH_ENTRIES_MAX } from './exchange.ts'
import { assertMethods } from './options.ts'
import type { Store } from './store.ts'
import { assertWhole } from './units.ts'

const METHODS = Object.keys({
  join: true,
  exchange: true,
  read: true,
  list: true,
  owners: true,
  close: true,
} satisfies Record<Exclude<keyof Store, 'capabilities' | 'useClock' | 'upkeep' | 'delete' | 'intents'>, true>)

/** @throws TypeError, RangeError that name the argument */
export function assertStore(name: string, value: unknown): asserts value is Store {
  assertMethods(name, value, `a store, such as sqlite('vsa.db')`, METHODS)
  const { capabilities } = value as Partial<Store>
  assertWhole(`${name}.capabilities.batchMax`, capabilities?.batchMax, { min: 1, max: BATCH_ENTRIES_MAX })
}
