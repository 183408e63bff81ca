import type { Budget, Clock, Counter } from '../index.ts'
import type { CallSettlement } from './call-settlement.ts'
import type { PriceTable } from './price.ts'
import { tokensOfBytes } from './request-text.ts'

/** Of a call that is metered. `Call` is what the functions get: the call as its adapter sees it. */
export interface CallOptions<Call> {
  /** The budget of a call, or a function that finds it. Null: this call is not metered. */
  readonly budget: Budget | ((call: Call) => Budget | null | Promise<Budget | null>)
  /** Units are micro-dollars by this table. Without it they are tokens, of any kind. */
  readonly prices?: PriceTable
  /**
   * Tokens of a text, a whole number, 0 or more: for the estimate before a call, and for what was seen of a stream whose provider told no usage.
   * Default: a token for each 4 bytes of UTF-8, which is also used where this throws. Another value is a TypeError before the call.
   */
  readonly countTokens?: (text: string) => number
  /**
   * Names the logical call, 1 to 240 characters: attempts with the same id are one reservation, which the store keeps, so that a crash leaves the call charged.
   * Undefined, and without it: a reservation in memory.
   */
  readonly id?: (call: Call) => string | undefined
  /** Output tokens that are reserved for a request that names no maximum, 1 to 1,000,000,000. Default 1,024. */
  readonly outputTokensDefault?: number
  /** Output tokens by which a reservation is extended when it runs out, 1 to 1,000,000,000. Default 1,024. */
  readonly extendTokens?: number
  /** Tokens of an image or another file of the request in the estimate, 0 to 1,000,000,000. Default 1,000. */
  readonly fileTokens?: number
  /** When a reservation has run out and the budget has no more: end the stream, or let it go on, and book what is used as overage. Default `stop`. */
  readonly whenSpent?: 'stop' | 'overrun'
  /**
   * Gets what calls used and their budget did not have. While it is above 0, the next calls of the budget are denied with the reason `overage`. Costs a read
   * of the store for each call.
   */
  readonly overage?: (budget: Budget) => Counter
  /** A stream of which nothing is read for so long is ended; a reservation with an id ends by itself so long after its last sign. In ms, 1,000 to 86,400,000. Default 600,000. */
  readonly ttlMs?: number
  /** How many times the client repeats a call by itself, 0 to 100: after so many the reservation is settled at once. Default 2, as the clients. */
  readonly maxRetries?: number
  /** How long the reservation of a failed attempt waits for the next one, in ms, 1 to 3,600,000. Default 65,000. */
  readonly retryWaitMs?: number
  /** Gets each call that has been settled, or could not be. An error that it throws is a warning of the process. */
  readonly onSettled?: (settlement: CallSettlement) => void
  /** For tests. Default: the machine's. */
  readonly clock?: Pick<Clock, 'now' | 'timer'>
}

/** The options with their defaults. */
export interface CallSettings<Call> {
  readonly budgetOf: (call: Call) => Budget | null | Promise<Budget | null>
  readonly prices: PriceTable | undefined
  readonly countTokens: (text: string) => number
  readonly idOf: (call: Call) => string | undefined
  readonly outputTokensDefault: number
  readonly extendTokens: number
  readonly fileTokens: number
  readonly mayOverrun: boolean
  readonly overage: ((budget: Budget) => Counter) | undefined
  readonly ttlMs: number
  readonly maxRetries: number
  readonly retryWaitMs: number
  readonly onSettled: (settlement: CallSettlement) => void
  readonly clock: Pick<Clock, 'now' | 'timer'>
}

const TOKENS_MAX = 1_000_000_000

const KNOWN: readonly string[] = Object.keys({
  budget: true,
  prices: true,
  countTokens: true,
  id: true,
  outputTokensDefault: true,
  extendTokens: true,
  fileTokens: true,
  whenSpent: true,
  overage: true,
  ttlMs: true,
  maxRetries: true,
  retryWaitMs: true,
  onSettled: true,
  clock: true,
} satisfies Record<keyof CallOptions<unknown>, true>)

/** @param own options of the adapter besides these @throws TypeError, RangeError that name the option */
export function callSettings<Call>(options: CallOptions<Call>, own: readonly string[]): CallSettings<Call> {
  for (const option of Object.keys(options))
    if (!KNOWN.includes(option) && !own.includes(option))
      throw new TypeError(`options.${option} is not known; it has ${[...KNOWN, ...own].join(', ')}`)
  const { budget, prices, countTokens, id, overage, whenSpent = 'stop', onSettled, clock } = options
  if (typeof budget !== 'function' && typeof budget?.reserve !== 'function')
    throw new TypeError('options.budget must be a budget, or a function that finds it')
  for (const [name, value] of Object.entries({ countTokens, id, overage, onSettled }))
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`options.${name} must be a function`)
  if (whenSpent !== 'stop' && whenSpent !== 'overrun')
    throw new TypeError(`options.whenSpent must be 'stop' or 'overrun', got ${String(whenSpent)}`)
  return {
    budgetOf: typeof budget === 'function' ? budget : () => budget,
    prices,
    countTokens: countTokens ?? tokensOfBytes,
    idOf: id ?? (() => undefined),
    outputTokensDefault: whole('outputTokensDefault', options.outputTokensDefault ?? 1_024, 1, TOKENS_MAX),
    extendTokens: whole('extendTokens', options.extendTokens ?? 1_024, 1, TOKENS_MAX),
    fileTokens: whole('fileTokens', options.fileTokens ?? 1_000, 0, TOKENS_MAX),
    mayOverrun: whenSpent === 'overrun',
    overage,
    ttlMs: whole('ttlMs', options.ttlMs ?? 600_000, 1_000, 86_400_000),
    maxRetries: whole('maxRetries', options.maxRetries ?? 2, 0, 100),
    retryWaitMs: whole('retryWaitMs', options.retryWaitMs ?? 65_000, 1, 3_600_000),
    onSettled: onSettled ?? (() => undefined),
    clock: clock ?? MACHINE,
  }
}

function whole(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`options.${name} must be a number, got ${String(value)}`)
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`options.${name} must be a whole number from ${min} to ${max}, got ${value}`)
}

const MACHINE: Pick<Clock, 'now' | 'timer'> = {
  now: () => Date.now(),
  timer: (delayMs, fire) => {
    const handle = setTimeout(fire, delayMs).unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
