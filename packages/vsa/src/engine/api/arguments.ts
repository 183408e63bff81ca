import type { Plan, Window } from '../../core/plan.ts'
import { assertKey } from '../../core/key.ts'
import { assertBoolean, assertOptions } from '../../core/options.ts'
import { describe } from '../../core/units.ts'
import { assertDuration } from './durations.ts'
import type { AdmitOptions, CloseOptions, FlushOptions, MintOptions, PastDecision } from './public-types.ts'

const ADMIT_OPTIONS = Object.keys({ durable: true, deadlineMs: true, signal: true } satisfies Record<
  keyof AdmitOptions,
  true
>)
const MINT_OPTIONS = Object.keys({ id: true } satisfies Record<keyof MintOptions, true>)
const FLUSH_OPTIONS = Object.keys({ returnLeases: true, deadlineMs: true } satisfies Record<keyof FlushOptions, true>)
const CLOSE_OPTIONS = Object.keys({ deadlineMs: true } satisfies Record<keyof CloseOptions, true>)

export interface CheckedOptions {
  readonly deadlineMs: number
  readonly durable: boolean | undefined
  readonly signal: AbortSignal | undefined
}

/** @throws TypeError, RangeError that name the option */
export function checkOptions(options: AdmitOptions, deadlineDefaultMs: number): CheckedOptions {
  assertOptions('options', options, ADMIT_OPTIONS)
  const { deadlineMs = deadlineDefaultMs, durable, signal } = options
  if (deadlineMs !== deadlineDefaultMs) assertDuration('options.deadlineMs', deadlineMs)
  if (durable !== undefined) assertBoolean('options.durable', durable)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`options.signal must be an AbortSignal, got ${describe(signal)}`)
  return { deadlineMs, durable, signal }
}

/** The id of the mint. @throws TypeError, RangeError that name the option */
export function checkMintOptions(options: MintOptions): string {
  assertOptions('options', options, MINT_OPTIONS)
  assertKey('options.id', options.id)
  return options.id
}

/** @throws TypeError, RangeError that name the option */
export function checkFlushOptions(options: FlushOptions, deadlineDefaultMs: number): Required<FlushOptions> {
  assertOptions('options', options, FLUSH_OPTIONS)
  const { returnLeases = false, deadlineMs = deadlineDefaultMs } = options
  assertBoolean('options.returnLeases', returnLeases)
  assertDuration('options.deadlineMs', deadlineMs)
  return { returnLeases, deadlineMs }
}

/** @throws TypeError, RangeError that name the option */
export function checkCloseOptions(options: CloseOptions, deadlineDefaultMs: number): Required<CloseOptions> {
  assertOptions('options', options, CLOSE_OPTIONS)
  const { deadlineMs = deadlineDefaultMs } = options
  assertDuration('options.deadlineMs', deadlineMs)
  return { deadlineMs }
}

/** @throws TypeError that names the argument */
export function assertDecision(decision: unknown): asserts decision is PastDecision {
  const fields = typeof decision === 'object' && decision !== null ? (decision as Record<string, unknown>) : {}
  const { period, admitted, key } = fields
  const isPast = typeof period === 'number' || typeof admitted === 'boolean'
  if (!isPast || (key !== undefined && typeof key !== 'string'))
    throw new TypeError(`decision must be what decide() answered, got ${describe(decision)}`)
}

/** The budget's period that begins at `period`. @throws RangeError that names the argument */
export function windowOf({ key, plan }: { readonly key: string; readonly plan: Plan }, period: number): Window {
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
