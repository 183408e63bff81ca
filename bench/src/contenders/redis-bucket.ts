import { limitOf, type Trace } from '../workloads/trace.ts'
import { ratePerMs } from './bucket-rate.ts'
import { plainBooks, type Contender, type Limiter } from './contender.ts'
import type { Place } from './place.ts'
import type { Bucket } from './sqlite-bucket.ts'

const READ = `local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local row = redis.call('HMGET', KEYS[1], 'level', 'at', 'taken')
local units, capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local elapsed = math.max(0, now - tonumber(row[2] or now))
local taken = tonumber(row[3] or 0)`
const WRITE = `redis.call('HSET', KEYS[1], 'level', string.format('%.17g', level), 'at', string.format('%.17g', now), 'taken', string.format('%.0f', taken + units))
return 1`
/** A refund is a negative number of units, and always fits. */
const SCRIPTS = {
  token: `${READ}
local level = math.min(capacity, tonumber(row[1] or capacity) + rate * elapsed) - units
if level < 0 and units > 0 then return 0 end
level = math.min(capacity, level)
${WRITE}`,
  leaky: `${READ}
local level = math.max(0, tonumber(row[1] or 0) - rate * elapsed) + units
if level > capacity and units > 0 then return 0 end
level = math.max(0, level)
${WRITE}`,
}
const KEYS_PER_READ = 1_000

/** One script for each request; those of one turn of the event loop go in one pipeline. */
export function redisBucket(kind: Bucket): Contender {
  return {
    name: `${kind}-bucket-redis`,
    title: `${kind} bucket, one script each`,
    group: 'per-request',
    store: 'redis',
    durable: 'answer',
    isExact: true,
    lacks: [],
    open: async (place, trace) => limiter(place, trace, kind),
  }
}

async function limiter(place: Place, trace: Trace, kind: Bucket): Promise<Limiter> {
  const client = place.redis({ enableAutoPipelining: true })
  const sha = String(await client.script('LOAD', SCRIPTS[kind]))
  const spend = async (key: number, units: number): Promise<boolean> => {
    const capacity = limitOf(trace, key)
    const name = `${place.name}:${trace.names[key]}`
    return (await client.evalsha(sha, 1, name, units, capacity, ratePerMs(trace, capacity))) === 1
  }
  return {
    admit: spend,
    refund: (key, units) => spend(key, -units),
    close: async () => undefined,
    books: async () => {
      const used = new Float64Array(trace.names.length)
      for (let from = 0; from < used.length; from += KEYS_PER_READ) {
        const names = trace.names.slice(from, from + KEYS_PER_READ)
        const taken = await Promise.all(names.map((name) => client.hget(`${place.name}:${name}`, 'taken')))
        for (const [at, units] of taken.entries()) used[from + at] = Number(units ?? 0)
      }
      return plainBooks(used)
    },
  }
}
