import { assertPrefix } from '../drop-ins/budget-key.ts'
import { assertDropInOptions, type DropInOptions } from '../drop-ins/drop-in-options.ts'
import type { Vsa } from '../index.ts'

/** A hundred years: what VSA takes as a period at most, and what `duration: 0` is. */
export const FOREVER_MS: number = 36_525 * 86_400_000

export interface RateLimiterVsaOptions extends DropInOptions {
  /** Yours: close it when the server has closed. */
  readonly vsa: Vsa
  /** Points per duration, 0 to 2^53 - 1. */
  readonly points: number
  /** Seconds, 0.001 to 100 years in whole milliseconds. 0: the points never come back. Periods are counted from 1970, not from the first point. */
  readonly duration: number
  /** Seconds for which a key is blocked when it is denied. Default 0: it is denied until the period ends, and consumes nothing. */
  readonly blockDuration?: number
  /** Before each key, up to 256 characters: one for each limiter of the engine. Default `rlflx`. */
  readonly keyPrefix?: string
  /** Delays what is admitted, so that it is spread over the rest of the period. Default false. */
  readonly execEvenly?: boolean
  /** The least delay, in ms. Default: the duration divided by the points. */
  readonly execEvenlyMinDelayMs?: number
  /**
   * Whether keys may be blocked. Every process that has it on reads the blocks of a key that it is asked for, once in 5 s at most. Default: whether there is a
   * `blockDuration`. Needed for `block` otherwise, in every process.
   */
  readonly blocks?: boolean
}

const OPTIONS: readonly string[] = [
  'vsa',
  'points',
  'duration',
  'blockDuration',
  'keyPrefix',
  'execEvenly',
  'execEvenlyMinDelayMs',
  'blocks',
  'atRisk',
  'keysMax',
  'now',
] satisfies (keyof RateLimiterVsaOptions)[]

/** The peer's options that have another answer here. */
const INSTEAD: Readonly<Record<string, string>> = {
  insuranceLimiter: 'onStoreUnavailable of open() says what is answered while the database is away',
  storeClient: 'hand in an engine: { vsa: open({ store }) }',
  inMemoryBlockOnConsumed: 'a denial comes from memory already',
  inMemoryBlockDuration: 'a denial comes from memory already',
}

/** @throws TypeError, RangeError that name the option. What VSA checks by itself is left to it. */
export function assertLimiterOptions(options: RateLimiterVsaOptions): void {
  for (const [option, instead] of Object.entries(INSTEAD))
    if (option in options) throw new TypeError(`options.${option} is not known: ${instead}`)
  assertDropInOptions(options, OPTIONS)
  const { points, blockDuration = 0, keyPrefix = '', execEvenlyMinDelayMs = 0 } = options
  if (!Number.isSafeInteger(points) || points < 0)
    throw new RangeError(`options.points must be a whole number from 0 to 2^53 - 1, got ${String(points)}`)
  periodMsOf(options.duration)
  millisecondsOf('options.blockDuration', blockDuration)
  assertPrefix('options.keyPrefix', keyPrefix)
  if (!(execEvenlyMinDelayMs >= 0)) throw new RangeError('options.execEvenlyMinDelayMs must be 0 or more')
}

/** @throws RangeError */
export function periodMsOf(duration: number): number {
  return millisecondsOf('options.duration', duration) || FOREVER_MS
}

/** Seconds as whole milliseconds, 0 to 100 years. 0.1 + 0.2 s are 300 ms. @throws RangeError that names the argument */
export function millisecondsOf(name: string, seconds: unknown): number {
  const milliseconds = typeof seconds === 'number' ? Math.round(seconds * 1_000) : Number.NaN
  const isWhole =
    typeof seconds === 'number' && Math.abs(seconds * 1_000 - milliseconds) < 1e-6 * Math.max(1, milliseconds)
  if (isWhole && milliseconds >= 0 && milliseconds <= FOREVER_MS) return milliseconds
  throw new RangeError(`${name} must be seconds in whole milliseconds, from 0 to 100 years, got ${String(seconds)}`)
}
