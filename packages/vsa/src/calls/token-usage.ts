/** Tokens as the provider counted them. What is absent it did not say. */
export interface TokenUsage {
  /** Input that was neither read from a cache nor written to one. */
  readonly input?: number | undefined
  readonly cacheRead?: number | undefined
  readonly cacheWrite?: number | undefined
  /** Reasoning included. */
  readonly output?: number | undefined
}

/** The same, where nothing is unknown any more. */
export type CountedTokens = { readonly [Kind in keyof TokenUsage]-?: number }

/** A count of a provider: a whole number from 0 to 2^53 - 1. Anything else is as if it had said nothing. */
export function tokensFrom(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

/** The input that no cache was used for, where the provider tells the total. */
export function withoutCache(
  total: number | undefined,
  ...cached: readonly (number | undefined)[]
): number | undefined {
  if (total === undefined) return undefined
  const inCache = cached.reduce<number>((sum, tokens) => sum + (tokens ?? 0), 0)
  return Math.max(0, total - inCache)
}

/** What was said later counts. */
export function laterUsage(before: TokenUsage, later: TokenUsage): TokenUsage {
  return {
    input: later.input ?? before.input,
    cacheRead: later.cacheRead ?? before.cacheRead,
    cacheWrite: later.cacheWrite ?? before.cacheWrite,
    output: later.output ?? before.output,
  }
}
