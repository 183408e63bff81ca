import { CLOCK_METHODS, type Clock } from '../core/clock.ts'
import { assertFunction, assertMethods, assertOptions } from '../core/options.ts'
import { assertWhole, describe } from '../core/units.ts'
import { assertFault, assertRates, type Fault, type FaultRates } from './fault.ts'
import type { Random } from './random.ts'

/** The methods whose calls may be faulty. `close` never is. Errors of the inner store pass through. */
export type FaultyMethod = 'join' | 'exchange' | 'upkeep' | 'delete' | 'read' | 'list' | 'owners'

export interface FaultyStoreOptions {
  /**
   * Delays and down times pass on this clock, and an inner store without a source of time of its own takes its time from it. Usually the
   * one of the engine under test.
   */
  readonly clock: Clock
  /** Faults of the next calls of each method, in order; `undefined` is a call without a fault. Used up before any fault is drawn. */
  readonly script?: Readonly<Partial<Record<FaultyMethod, readonly (Fault | undefined)[]>>>
  /** Draws faults for calls that have no scripted one, with `rates`. Default: no fault is drawn. */
  readonly random?: Random
  /** The probability of each fault, 0 to 1. Default: 0 for each. */
  readonly rates?: FaultRates
  /** The longest time that is drawn for a fault, in whole ms. Default 1,000. */
  readonly delayMsMax?: number
}

export const METHODS: readonly FaultyMethod[] = ['join', 'exchange', 'upkeep', 'delete', 'read', 'list', 'owners']

const OPTIONS = Object.keys({
  clock: true,
  script: true,
  random: true,
  rates: true,
  delayMsMax: true,
} satisfies Record<keyof FaultyStoreOptions, true>)

/** @throws TypeError, RangeError that name the option */
export function assertFaultyOptions(options: FaultyStoreOptions): void {
  assertOptions('options', options, OPTIONS)
  const { clock, script = {}, random, rates = {}, delayMsMax = 0 } = options
  assertMethods('options.clock', clock, 'a clock, such as manualClock()', CLOCK_METHODS)
  if (random !== undefined) assertFunction('options.random', random)
  assertRates('options.rates', rates)
  assertWhole('options.delayMsMax', delayMsMax, { min: 0, of: 'milliseconds' })
  assertOptions('options.script', script, METHODS)
  for (const method of METHODS) assertFaults(`options.script.${method}`, script[method] ?? [])
}

function assertFaults(name: string, faults: readonly unknown[]): void {
  if (!Array.isArray(faults)) throw new TypeError(`${name} must be an array of faults, got ${describe(faults)}`)
  for (let index = 0; index < faults.length; index += 1) assertFault(`${name}[${index}]`, faults[index])
}
