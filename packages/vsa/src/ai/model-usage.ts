import { type TokenUsage, tokensFrom, withoutCache } from '../calls/token-usage.ts'
import type { ModelUsage } from './language-model.ts'

/** Of version 3 and 4: objects with parts, each of which may be missing; of version 2: plain numbers. Some providers report none at all. */
export function usageOfModel(usage: ModelUsage | null | undefined): TokenUsage {
  const { inputTokens, outputTokens, cachedInputTokens } = usage ?? {}
  const input = partsOf(inputTokens)
  const cacheRead = input['cacheRead'] ?? tokensFrom(cachedInputTokens)
  const { cacheWrite } = input
  return {
    input: input['noCache'] ?? withoutCache(input['total'], cacheRead, cacheWrite),
    cacheRead,
    cacheWrite,
    output: partsOf(outputTokens)['total'],
  }
}

function partsOf(tokens: unknown): Readonly<Record<string, number | undefined>> {
  if (typeof tokens !== 'object' || tokens === null) return { total: tokensFrom(tokens) }
  return Object.fromEntries(Object.entries(tokens).map(([part, value]) => [part, tokensFrom(value)]))
}
