import { RateLimiter } from 'limiter'
import { limitOf, type Trace } from '../workloads/trace.ts'
import { plainBooks, usedOf, type Contender, type Limiter } from './contender.ts'

const YEAR_MS = 365 * 86_400_000

/** The package of this name: in memory, one object for each key. */
export const limiterPackage: Contender = {
  name: 'limiter',
  title: 'limiter',
  group: 'in-memory',
  store: 'memory',
  durable: 'no',
  isExact: true,
  lacks: ['refunds'],
  open: async (_, trace) => opened(trace),
}

function opened(trace: Trace): Limiter {
  const limiters: (RateLimiter | undefined)[] = Array.from({ length: trace.names.length })
  const make = (key: number): RateLimiter =>
    new RateLimiter({ tokensPerInterval: limitOf(trace, key), interval: YEAR_MS, fireImmediately: true })
  return {
    admit: (key, units) => (limiters[key] ??= make(key)).tryRemoveTokens(units),
    refund: () => {
      throw new Error('limiter gives nothing back')
    },
    close: async () => undefined,
    books: async () => plainBooks(usedOf(trace, (_, key) => limiters[key]?.tokensThisInterval ?? 0)),
  }
}
