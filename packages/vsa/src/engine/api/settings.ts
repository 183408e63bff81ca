import type { Clock } from '../../core/clock.ts'
import type { Store } from '../../core/store.ts'
import { assertUnits, describe } from '../../core/units.ts'
import { type EventSink, eventSink } from '../runtime/event-sink.ts'
import { guardedClock } from '../runtime/guarded-clock.ts'
import { assertDuration } from './durations.ts'
import type { OpenOptions } from './public-types.ts'

/** The options of `open`, checked, with their defaults filled in. */
export interface Settings {
  readonly store: Store
  readonly label: string
  readonly flushIntervalMs: number
  readonly deadlineMs: number
  readonly exchangeTimeoutMs: number
  readonly waitersMax: number
  readonly budgetsMax: number
  readonly onStoreUnavailable: 'throw' | 'deny' | 'allow'
  readonly thresholds: readonly number[]
  readonly emit: EventSink
  readonly clock: Clock
  readonly random: () => number
}

/** What an engine takes from the machine where the options name nothing else. */
export type MachineDefaults = Pick<Settings, 'label' | 'clock' | 'random'>

/** @throws TypeError, RangeError that name the option */
export function settingsOf(options: OpenOptions, machine: MachineDefaults): Settings {
  const {
    store,
    label = machine.label,
    flushIntervalMs = 100,
    deadlineMs = 5_000,
    exchangeTimeoutMs = 2_000,
    waitersMax = 1_000_000,
    budgetsMax = 1_048_576,
    onStoreUnavailable = 'throw',
    thresholds = [0.8, 1],
    onEvent,
    clock = machine.clock,
    random = machine.random,
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
  const emit = eventSink(onEvent)
  return {
    ...{ store, label, flushIntervalMs, deadlineMs, exchangeTimeoutMs, waitersMax, budgetsMax },
    ...{ onStoreUnavailable, thresholds, emit, random },
    clock: guardedClock(clock, (error) => emit({ type: 'internal_error', error })),
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
