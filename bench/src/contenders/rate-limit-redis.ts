import { RedisStore, type RedisReply } from 'rate-limit-redis'
import { limitOf, type Trace } from '../workloads/trace.ts'
import { plainBooks, type Contender, type Limiter } from './contender.ts'
import type { Place } from './place.ts'

const WINDOW_MS = 86_400_000
const KEYS_PER_READ = 1_000

/** The store of express-rate-limit, with the comparison that its middleware makes. */
export const rateLimitRedis: Contender = {
  name: 'rate-limit-redis',
  title: 'rate-limit-redis',
  group: 'per-request',
  store: 'redis',
  durable: 'answer',
  isExact: true,
  lacks: ['costs'],
  open: limiter,
}

async function limiter(place: Place, trace: Trace): Promise<Limiter> {
  const client = place.redis({ enableAutoPipelining: true })
  const sendCommand = async (command = '', ...rest: string[]): Promise<RedisReply> => {
    // What these scripts answer, the store checks itself.
    return (await client.call(command, rest)) as RedisReply
  }
  const store = new RedisStore({ sendCommand, prefix: `${place.name}:` })
  // The store reads this option alone.
  await store.init({ windowMs: WINDOW_MS } as Parameters<RedisStore['init']>[0])
  return {
    admit: async (key) => (await store.increment(trace.names[key] ?? '')).totalHits <= limitOf(trace, key),
    refund: (key) => store.decrement(trace.names[key] ?? ''),
    close: async () => undefined,
    books: async () => {
      const used = new Float64Array(trace.names.length)
      for (let from = 0; from < used.length; from += KEYS_PER_READ) {
        const names = trace.names.slice(from, from + KEYS_PER_READ)
        const hits = await client.mget(names.map((name) => `${place.name}:${name}`))
        // A denied request is counted as well.
        for (const [at, units] of hits.entries())
          used[from + at] = Math.min(Number(units ?? 0), limitOf(trace, from + at))
      }
      return plainBooks(used)
    },
  }
}
