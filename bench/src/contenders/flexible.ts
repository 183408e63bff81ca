import {
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
  RateLimiterSQLite,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible'
import { limitOf, type Trace } from '../workloads/trace.ts'
import { plainBooks, type Contender, type Limiter, type StoreKind } from './contender.ts'
import type { Place } from './place.ts'

/** No window ends within a run, and no timer of it is longer than a timer may be. */
const DURATION_SECONDS = 86_400
const CONNECTIONS = 16
const KEYS_PER_READ = 1_000

/** rate-limiter-flexible as its documentation says, with the block in memory that spares calls about exhausted keys. */
export function flexible(store: StoreKind): Contender {
  return {
    name: `rate-limiter-flexible-${store}`,
    title: 'rate-limiter-flexible',
    group: store === 'memory' ? 'in-memory' : 'per-request',
    store,
    durable: store === 'memory' ? 'no' : 'answer',
    isExact: true,
    lacks: [],
    open: async (place, trace) => limiter(trace, makerOf(place, store)),
  }
}

interface Options {
  readonly points: number
  readonly duration: number
  readonly keyPrefix: string
}
type Maker = (options: Options) => Promise<RateLimiterAbstract>

async function limiter(trace: Trace, make: Maker): Promise<Limiter> {
  const limits = [...new Set(trace.names.map((_, key) => limitOf(trace, key)))]
  const byLimit = new Map<number, RateLimiterAbstract>()
  // One limiter has one limit. Tables are made in their constructors.
  for (const [at, points] of limits.entries())
    byLimit.set(points, await make({ points, duration: DURATION_SECONDS, keyPrefix: `limit${at}` }))
  const first = byLimit.get(limits[0] ?? 0)
  if (first === undefined) throw new Error('a trace without keys')
  const limiterOf = (key: number): RateLimiterAbstract =>
    limits.length === 1 ? first : (byLimit.get(limitOf(trace, key)) ?? first)
  return {
    admit: (key, units) =>
      limiterOf(key)
        .consume(trace.names[key] ?? '', units)
        .then(yes, deniedOrThrow),
    refund: (key, units) => limiterOf(key).reward(trace.names[key] ?? '', units),
    close: async () => undefined,
    books: async () => {
      const used = new Float64Array(trace.names.length)
      for (let from = 0; from < used.length; from += KEYS_PER_READ) {
        const names = trace.names.slice(from, from + KEYS_PER_READ)
        const rows = await Promise.all(names.map((name, at) => limiterOf(from + at).get(name)))
        // A denied request is counted as well, up to the limit and beyond.
        for (const [at, row] of rows.entries())
          used[from + at] = Math.min(row?.consumedPoints ?? 0, limitOf(trace, from + at))
      }
      return plainBooks(used)
    },
  }
}

function yes(): boolean {
  return true
}

/** A denial is a rejection with something that is no Error. */
function deniedOrThrow(reason: unknown): boolean {
  if (reason instanceof RateLimiterRes) return false
  throw reason
}

function makerOf(place: Place, store: StoreKind): Maker {
  const blocked = (options: Options): Options & { readonly inMemoryBlockOnConsumed: number } => ({
    ...options,
    inMemoryBlockOnConsumed: options.points + 1,
  })
  switch (store) {
    case 'memory':
      return async (options) => new RateLimiterMemory(options)
    case 'sqlite': {
      const storeClient = place.sqlite()
      return (options) =>
        made((ready) => {
          const tableName = options.keyPrefix
          return new RateLimiterSQLite(
            { ...blocked(options), storeClient, storeType: 'better-sqlite3', tableName },
            ready,
          )
        })
    }
    case 'postgres': {
      const storeClient = place.pool(CONNECTIONS)
      return (options) =>
        made((ready) => {
          const names = { schemaName: place.name, tableName: options.keyPrefix }
          return new RateLimiterPostgres({ ...blocked(options), storeClient, ...names }, ready)
        })
    }
    case 'redis': {
      const storeClient = place.redis({ enableAutoPipelining: true })
      return async (options) =>
        new RateLimiterRedis({ ...blocked(options), storeClient, keyPrefix: `${place.name}:${options.keyPrefix}` })
    }
  }
}

/** Resolves when the table is there. */
function made<Made>(make: (ready: (error?: Error) => void) => Made): Promise<Made> {
  return new Promise((resolve, reject) => {
    const limiter: Made = make((error) =>
      setImmediate(() => {
        if (error === undefined) resolve(limiter)
        else reject(error)
      }),
    )
  })
}
