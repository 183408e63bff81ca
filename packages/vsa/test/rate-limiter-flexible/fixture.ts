import type { Vsa } from '../../src/index.ts'
import { RateLimiterRes, RateLimiterVsa, type RateLimiterVsaOptions } from '../../src/rate-limiter-flexible/index.ts'
import type { Processes } from '../drop-ins/fixture.ts'

export const DAY_S: number = 86_400

export function limiterOf({ now }: Processes, vsa: Vsa, options: Partial<RateLimiterVsaOptions> = {}): RateLimiterVsa {
  return new RateLimiterVsa({ vsa, points: 5, duration: 60, blocks: true, now, ...options })
}

/** The result, whether it resolves or is rejected; an Error is thrown. */
export async function outcome(work: Promise<RateLimiterRes>): Promise<{ admitted: boolean; result: RateLimiterRes }> {
  return work.then(
    (result) => ({ admitted: true, result }),
    (result: unknown) => {
      if (!(result instanceof RateLimiterRes)) throw result
      return { admitted: false, result }
    },
  )
}

/** How many of so many at once were admitted. */
export async function admittedOf(limiter: RateLimiterVsa, key: string, count: number, points = 1): Promise<number> {
  const all = await Promise.all(Array.from({ length: count }, async () => outcome(limiter.consume(key, points))))
  return all.filter(({ admitted }) => admitted).length
}
