import { CLOCK_METHODS, type Clock } from '../../core/clock.ts'
import { assertStore } from '../../core/assert-store.ts'
import { assertFractions, assertFunction, assertMethods, assertOneOf, assertOptions } from '../../core/options.ts'
import type { Store } from '../../core/store.ts'
import { assertWhole, describe } from '../../core/units.ts'
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
  /** The clock was handed in. */
  readonly isClockGiven: boolean
  readonly random: () => number
}

const OPTIONS = Object.keys({
  store: true,
  label: true,
  flushIntervalMs: true,
  deadlineMs: true,
  exchangeTimeoutMs: true,
  waitersMax: true,
  budgetsMax: true,
  onStoreUnavailable: true,
  thresholds: true,
  onEvent: true,
  clock: true,
  random: true,
} satisfies Record<keyof OpenOptions, true>)

/** What an engine takes from the machine where the options name nothing else. */
export type MachineDefaults = Pick<Settings, 'label' | 'clock' | 'random'>

/** @throws TypeError, RangeError that name the option */
export function settingsOf(options: OpenOptions, machine: MachineDefaults): Settings {
  if (typeof (options as Partial<Store> | null | undefined)?.exchange === 'function')
    throw new TypeError('options must be an object that has the store: open({ store })')
  assertOptions('options', options, OPTIONS)
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
  assertStore('options.store', store)
  if (typeof label !== 'string') throw new TypeError(`options.label must be a string, got ${describe(label)}`)
  assertDuration('options.flushIntervalMs', flushIntervalMs)
  assertDuration('options.deadlineMs', deadlineMs)
  assertDuration('options.exchangeTimeoutMs', exchangeTimeoutMs)
  assertWhole('options.waitersMax', waitersMax, { min: 1, of: 'requests' })
  assertWhole('options.budgetsMax', budgetsMax, { min: 1, of: 'budgets' })
  assertOneOf('options.onStoreUnavailable', onStoreUnavailable, ['throw', 'deny', 'allow'])
  assertFractions('options.thresholds', thresholds)
  if (onEvent !== undefined) assertFunction('options.onEvent', onEvent)
  assertMethods('options.clock', clock, 'a clock, such as manualClock()', CLOCK_METHODS)
  assertFunction('options.random', random)
  const emit = eventSink(onEvent)
  return {
    ...{ store, label, flushIntervalMs, deadlineMs, exchangeTimeoutMs, waitersMax, budgetsMax },
    ...{ onStoreUnavailable, thresholds, emit, isClockGiven: options.clock !== undefined, random },
    clock: guardedClock(clock, (error) => emit({ type: 'internal_error', error })),
  }
}
