import { createClient } from 'redis'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { rounds } from '../rounds.ts'
import { adapterOn, assertSums, newPrefix } from './redis-fixture.ts'
import { redisServer } from './redis-server.ts'

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

function conforms(name: string, clients: readonly [RedisClient, RedisClient]): void {
  storeConformance(
    name,
    ({ now, leaseTtlMs }) => {
      const prefix = newPrefix()
      const [one, other] = clients.map((client) => adapterOn(client, { prefix, leaseTtlMs, now }))
      if (one === undefined || other === undefined) throw new Error('two clients are needed')
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
    { sequences: rounds(2) },
  )
}

conforms('Redis, one handle with each client', [ioredis, nodeRedis])
