import { Redis } from 'ioredis'
import { DURABLE, redisServer } from 'vsa-servers'
import type { Baseline, BenchServer } from './bench-server.ts'
import { MINTED } from './owner-config.ts'
import { HAND_KEY, redisClient } from './redis-client.ts'

/** With `appendfsync always`. */
export async function redisBench(): Promise<BenchServer> {
  const server = await redisServer(DURABLE)
  if ('reason' in server) throw new Error(server.reason)
  const client = new Redis(server.url)
  return {
    kind: 'redis',
    url: server.url,
    client: redisClient(client),
    calls: async () => scriptsIn(await client.info('commandstats')),
    bytes: async () => Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]),
    beginByHand: async () => void (await client.hset(HAND_KEY, { minted: MINTED, used: 0 })),
    usedByHand: async () => Number(await client.hget(HAND_KEY, 'used')),
    baseline: (rows) => new Increments(client, rows),
    stop: async () => {
      client.disconnect()
      await server.stop()
    },
  }
}

/** Of all stores: the benchmark has this server for itself. Commands inside of the scripts are counted by their own names. */
function scriptsIn(stats: string): number {
  const counts = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].map(([, calls]) => Number(calls))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** As many `HINCRBY` in one pipeline. */
class Increments implements Baseline {
  readonly #client: Redis
  readonly #key: string
  readonly #rows: number

  constructor(client: Redis, rows: number) {
    this.#client = client
    this.#key = `increments of ${rows}`
    this.#rows = rows
  }

  async begin(): Promise<void> {
    // The first one makes it.
  }

  async run(): Promise<void> {
    const pipeline = this.#client.pipeline()
    for (let row = 0; row < this.#rows; row += 1) pipeline.hincrby(this.#key, `tenants:${row}`, 1)
    await pipeline.exec()
  }

  async used(): Promise<number> {
    return (await this.#client.hvals(this.#key)).reduce((sum, value) => sum + Number(value), 0)
  }
}
