import type { Plan, Window } from '../../core/plan.ts'
import { describe } from '../../core/units.ts'
import { assertDuration } from './durations.ts'
import type { AdmitOptions } from './public-types.ts'

export interface CheckedOptions {
  readonly deadlineMs: number
  readonly durable: boolean | undefined
  readonly signal: AbortSignal | undefined
}

/** @throws TypeError, RangeError that name the option */
export function checkOptions(options: AdmitOptions, deadlineDefaultMs: number): CheckedOptions {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object, got ${describe(options)}`)
  const { deadlineMs = deadlineDefaultMs, durable, signal } = options
  if (deadlineMs !== deadlineDefaultMs) assertDuration('options.deadlineMs', deadlineMs)
  if (durable !== undefined && typeof durable !== 'boolean')
    throw new TypeError(`options.durable must be a boolean, got ${describe(durable)}`)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`options.signal must be an AbortSignal, got ${describe(signal)}`)
  return { deadlineMs, durable, signal }
}

/** The period that `decision` was admitted in. @throws TypeError, RangeError that name the argument */
export function windowOf(
  { key, plan }: { readonly key: string; readonly plan: Plan },
  decision: { readonly period: number },
): Window {
  const period: unknown = (decision as { readonly period?: unknown } | null)?.period
  if (typeof period !== 'number')
    throw new TypeError(`decision must be what decide() answered, got ${describe(decision)}`)
  const window = Number.isSafeInteger(period) ? plan.windowAt(period) : undefined
  if (window?.start !== period)
    throw new RangeError(`decision.period must be the start of a period of ${JSON.stringify(key)}, got ${period}`)
  return window
}

/** What `counter.add` takes. @throws TypeError, RangeError that name `n` */
export function assertSummand(n: unknown): void {
  if (typeof n !== 'number') throw new TypeError(`n must be a number, got ${describe(n)}`)
  if (!Number.isSafeInteger(n)) throw new RangeError(`n must be a whole number from -(2^53 - 1) to 2^53 - 1, got ${n}`)
}
