import type { Redis } from 'ioredis'
import { redis } from 'vsa/redis'
import type { BenchClient } from './bench-server.ts'
import { HOT } from './owner-config.ts'

/** The hash of the work by hand. */
export const HAND_KEY: string = `by hand:${HOT}`

const ADMIT = `local used = tonumber(redis.call('HGET', KEYS[1], 'used')) + 1
if used > tonumber(redis.call('HGET', KEYS[1], 'minted')) then return 0 end
redis.call('HSET', KEYS[1], 'used', string.format('%.0f', used))
return 1`

export function redisClient(client: Redis): BenchClient {
  let sha: Promise<unknown> | undefined
  return {
    store: (prefix, fastPath = true) => redis(client, { prefix, fastPath, strict: true }),
    admitByHand: async () => {
      sha ??= client.script('LOAD', ADMIT)
      return (await client.evalsha(String(await sha), 1, HAND_KEY)) === 1
    },
    end: async () => void (await client.quit()),
  }
}
