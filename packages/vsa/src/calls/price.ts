import type { CountedTokens } from './token-usage.ts'

/** What a million tokens of a model cost, in micro-dollars (a millionth of a dollar): whole numbers from 0 to 2^53 - 1. */
export interface ModelPrice {
  readonly input: number
  readonly output: number
  /** Default: as `input`. */
  readonly cacheRead?: number
  /** Default: as `input`. */
  readonly cacheWrite?: number
}

/** By the name of the model, exactly as the request has it. */
export type PriceTable = Readonly<Record<string, ModelPrice>> | ((model: string) => ModelPrice | undefined)

/** The units of a call: micro-dollars, or tokens where there are no prices. Rounded up once. */
export type UnitsOf = (tokens: CountedTokens) => number

const MILLION = 1_000_000n
const UNITS_MAX = BigInt(Number.MAX_SAFE_INTEGER)

/** @throws TypeError where the table has no price for the model, or one that is no price: before anything is reserved */
export function unitsOfModel(prices: PriceTable | undefined, model: string): UnitsOf {
  if (prices === undefined)
    return ({ input, cacheRead, cacheWrite, output }) => capped(input, cacheRead, cacheWrite, output)
  const price = typeof prices === 'function' ? prices(model) : Object.hasOwn(prices, model) ? prices[model] : undefined
  if (price === undefined) throw new TypeError(`options.prices has no price for the model ${JSON.stringify(model)}`)
  const perMillion = (kind: keyof ModelPrice): bigint => wholePrice(model, kind, price[kind] ?? price.input)
  const [input, output] = [perMillion('input'), perMillion('output')]
  const [cacheRead, cacheWrite] = [perMillion('cacheRead'), perMillion('cacheWrite')]
  return (tokens) => {
    const millionths =
      BigInt(tokens.input) * input +
      BigInt(tokens.cacheRead) * cacheRead +
      BigInt(tokens.cacheWrite) * cacheWrite +
      BigInt(tokens.output) * output
    const units = (millionths + MILLION - 1n) / MILLION
    return Number(units < UNITS_MAX ? units : UNITS_MAX)
  }
}

function capped(...tokens: readonly number[]): number {
  return tokens.reduce((sum, some) => Math.min(Number.MAX_SAFE_INTEGER, sum + some), 0)
}

function wholePrice(model: string, kind: string, value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  const name = `options.prices[${JSON.stringify(model)}].${kind}`
  throw new TypeError(`${name} must be a whole number of micro-dollars for a million tokens, got ${String(value)}`)
}
