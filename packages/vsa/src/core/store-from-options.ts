import type { StoreAdapter } from './adapter.ts'
import type { Clock } from './clock.ts'
import { BATCH_ENTRIES_MAX } from './exchange.ts'
import { assertFunction, assertMethods, assertOptions } from './options.ts'
import { assertWhole } from './units.ts'

const UPKEEP_EVERY_MS = 100
const UPKEEP_ROWS_MAX = 200

export interface StoreFromOptions {
  /** A clock for the pace of upkeep and for waits (S8), ms from any origin: best one that is never set, such as `performance.now`. */
  readonly now: () => number
  /** Makes the token of a new epoch: a text that no other call of any process has made or will make. Default: a random UUID. */
  readonly newToken?: () => string
  /** How often an exchange is preceded by upkeep, in ms; 0: each one. Default 100. */
  readonly upkeepEveryMs?: number | undefined
  /**
   * The most leases burned and rows removed by one upkeep, each; and as many rows more as this store made since the last one, so that upkeep
   * keeps up with any rate. Default 200.
   */
  readonly upkeepRowsMax?: number | undefined
  /** Called with the clock of an engine that was given one: see `Store.useClock`. Default: the store keeps its own time. */
  readonly useClock?: (clock: Clock) => void
  /** Waits before a retry after a version conflict; `tries` counts from 1. Default: does not wait. */
  readonly pause?: (tries: number) => Promise<void>
}

/** {@link StoreFromOptions} with the defaults filled in. */
export interface UpkeepSettings {
  readonly now: () => number
  readonly newToken: () => string
  readonly upkeepEveryMs: number
  readonly upkeepRowsMax: number
  readonly useClock: (clock: Clock) => void
  readonly pause: (tries: number) => Promise<void>
}

const OPTIONS = Object.keys({
  now: true,
  newToken: true,
  upkeepEveryMs: true,
  upkeepRowsMax: true,
  useClock: true,
  pause: true,
} satisfies Record<keyof StoreFromOptions, true>)

const ADAPTER_METHODS = Object.keys({
  ready: true,
  loadJoin: true,
  loadExchange: true,
  loadUpkeep: true,
  loadSweep: true,
  read: true,
  list: true,
  owners: true,
  close: true,
} satisfies Record<
  Exclude<
    keyof StoreAdapter,
    'capabilities' | 'leaseTtlMs' | 'exchangePlain' | 'loadDeletion' | 'intents' | 'mayForget'
  >,
  true
>)

/** @throws TypeError, RangeError that name the argument */
export function checkStoreFrom(
  adapter: StoreAdapter,
  options: StoreFromOptions,
  makeToken: () => string,
): UpkeepSettings {
  assertMethods('adapter', adapter, 'a store adapter', ADAPTER_METHODS)
  const { capabilities } = adapter as Partial<StoreAdapter>
  assertWhole('adapter.capabilities.batchMax', capabilities?.batchMax, { min: 1, max: BATCH_ENTRIES_MAX })
  assertWhole('adapter.leaseTtlMs', adapter.leaseTtlMs, { min: 1, of: 'milliseconds' })
  assertOptions('options', options, OPTIONS)
  const { now, newToken = makeToken, useClock = noChange, pause = noPause } = options
  assertFunction('options.now', now)
  assertFunction('options.newToken', newToken)
  assertFunction('options.useClock', useClock)
  assertFunction('options.pause', pause)
  return { now, newToken, useClock, pause, ...checkUpkeep(options) }
}

/** @throws TypeError, RangeError that name the option */
export function checkUpkeep(
  options: Pick<StoreFromOptions, 'upkeepEveryMs' | 'upkeepRowsMax'>,
): Pick<UpkeepSettings, 'upkeepEveryMs' | 'upkeepRowsMax'> {
  const { upkeepEveryMs = UPKEEP_EVERY_MS, upkeepRowsMax = UPKEEP_ROWS_MAX } = options
  assertWhole('options.upkeepEveryMs', upkeepEveryMs, { min: 0, of: 'milliseconds' })
  assertWhole('options.upkeepRowsMax', upkeepRowsMax, { min: 1, of: 'rows' })
  return { upkeepEveryMs, upkeepRowsMax }
}

function noChange(): void {}

async function noPause(): Promise<void> {}
