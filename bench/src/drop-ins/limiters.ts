import { MemoryStore, type Options } from 'express-rate-limit'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Vsa } from 'vsa'
import { VsaStore } from 'vsa/express-rate-limit'
import { RateLimiterVsa } from 'vsa/rate-limiter-flexible'
import type { Call } from './calls.ts'
import type { Pair } from './pair.ts'

/** The peers keep an hour. Ours has one period for the whole run, so that the books are those of one period. */
const PEER_WINDOW_MS = 3_600_000
const PERIOD_MS = 366 * 86_400_000

export function expressPair(vsa: Vsa, name: string, limit: number, atRisk: number): Pair {
  const peer = new MemoryStore()
  // The store reads the window alone.
  peer.init({ windowMs: PEER_WINDOW_MS } as Options)
  const ours = new VsaStore(vsa, { prefix: `express ${name}:`, atRisk })
  ours.init({ windowMs: PERIOD_MS, limit })
  return {
    name: `express-rate-limit, ${name}`,
    peer: async (key) => (await peer.increment(key)).totalHits <= limit,
    ours: async (key) => (await ours.increment(key)).totalHits <= limit,
  }
}

export function flexiblePair(vsa: Vsa, name: string, points: number, atRisk: number): Pair {
  const peer = new RateLimiterMemory({ points, duration: PEER_WINDOW_MS / 1_000 })
  const duration = PERIOD_MS / 1_000
  const ours = new RateLimiterVsa({ vsa, points, duration, keyPrefix: `flexible ${name}`, atRisk })
  return {
    name: `rate-limiter-flexible, ${name}`,
    peer: consumed((key) => peer.consume(key)),
    ours: consumed((key) => ours.consume(key)),
  }
}

/** As its users do: a result that is thrown is a denial. */
function consumed(consume: (key: string) => Promise<unknown>): Call {
  return async (key) => {
    try {
      await consume(key)
      return true
    } catch (result) {
      if (result instanceof Error) throw result
      return false
    }
  }
}
