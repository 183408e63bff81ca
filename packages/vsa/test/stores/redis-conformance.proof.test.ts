import { createClient } from 'redis'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import type { RedisAdapter } from '../../src/stores/redis/adapter.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { IS_QUICK, rounds } from '../rounds.ts'
import { adapterOn, assertSums, newPrefix } from './redis-fixture.ts'
import { redisServer } from '../../../../servers/src/redis.ts'

const server = await redisServer([], true)
const url = 'url' in server ? server.url : ''
const ioredis = new Redis(url, { lazyConnect: true })
const nodeRedis = createClient({ url })
if ('url' in server) await nodeRedis.connect()

afterAll(async () => {
  ioredis.disconnect()
  if (nodeRedis.isOpen) nodeRedis.destroy()
  if ('stop' in server) await server.stop()
})

const describeHere = 'reason' in server ? describe.skip : describe

/** Most batches go the fast path. The general path by itself is repeated by `npm run proof`. */
const paths = IS_QUICK ? [true] : [true, false]

for (const fastPath of paths) {
  storeConformance(
    fastPath ? 'Redis, one handle with each client' : 'Redis without its fast path',
    ({ now, leaseTtlMs }) => {
      const prefix = newPrefix()
      const handle = (client: RedisClient): RedisAdapter => adapterOn(client, { prefix, leaseTtlMs, fastPath, now })
      const [one, other] = [handle(ioredis), handle(nodeRedis)]
      return {
        store: one,
        another: () => other,
        dispose: async () => {
          await Promise.all([one.close(), other.close()])
          await assertSums(ioredis, prefix)
        },
      }
    },
    { describe: describeHere, it, expect },
    { sequences: rounds(2), deletes: true },
  )
}
