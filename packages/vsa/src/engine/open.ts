import { hostname } from 'node:os'
import { assertUnits, describe } from '../core/units.ts'
import { announcer } from './runtime/event-sink.ts'
import { assertDuration } from './api/durations.ts'
import { Engine } from './engine.ts'
import type { OpenOptions, Vsa } from './api/public-types.ts'
import { realClock } from './runtime/real-clock.ts'
import type { OpenSettings } from './api/settings.ts'

/**
 * Opens an engine on a store. Returns at once: the store is joined in the background, and requests wait for it up to their deadline.
 * Nothing is durable yet.
 * @throws TypeError, RangeError that name the option
 */
export function open(options: OpenOptions): Vsa {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object, got ${describe(options)}`)
  return new Engine(settingsOf(options))
}

function settingsOf(options: OpenOptions): OpenSettings {
  const {
    store,
    label = `${hostname()}:${process.pid}`,
    flushIntervalMs = 100,
    deadlineMs = 5_000,
    exchangeTimeoutMs = 2_000,
    waitersMax = 1_000_000,
    budgetsMax = 1_048_576,
    onStoreUnavailable = 'throw',
    thresholds = [0.8, 1],
    onEvent,
    clock = realClock(),
    random = Math.random,
  } = options
  if (typeof store?.exchange !== 'function')
    throw new TypeError(`options.store must be a store, such as sqlite('vsa.db'), got ${describe(store)}`)
  if (typeof label !== 'string') throw new TypeError(`options.label must be a string, got ${describe(label)}`)
  assertDuration('options.flushIntervalMs', flushIntervalMs)
  assertDuration('options.deadlineMs', deadlineMs)
  assertDuration('options.exchangeTimeoutMs', exchangeTimeoutMs)
  assertUnits('options.waitersMax', waitersMax, 1)
  assertUnits('options.budgetsMax', budgetsMax, 1)
  assertOneOf('options.onStoreUnavailable', onStoreUnavailable, ['throw', 'deny', 'allow'])
  assertThresholds(thresholds)
  if (onEvent !== undefined && typeof onEvent !== 'function')
    throw new TypeError(`options.onEvent must be a function, got ${describe(onEvent)}`)
  const announce = announcer(onEvent)
  return {
    store,
    label,
    flushIntervalMs,
    deadlineMs,
    exchangeTimeoutMs,
    waitersMax,
    budgetsMax,
    onStoreUnavailable,
    thresholds,
    announce,
    clock,
    random,
  }
}

function assertOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value !== 'string' || !allowed.includes(value)) {
    throw new TypeError(`${name} must be one of ${allowed.join(', ')}, got ${describe(value)}`)
  }
}

function assertThresholds(thresholds: readonly number[]): void {
  if (!Array.isArray(thresholds))
    throw new TypeError(`options.thresholds must be an array, got ${describe(thresholds)}`)
  for (const [index, fraction] of thresholds.entries()) {
    if (typeof fraction !== 'number' || !(fraction > 0 && fraction <= 1)) {
      throw new RangeError(`options.thresholds[${index}] must be above 0 and at most 1, got ${describe(fraction)}`)
    }
  }
}
