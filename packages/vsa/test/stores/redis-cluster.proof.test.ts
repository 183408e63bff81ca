import { Cluster, Redis } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { DURABLE, redisServer, type RedisServer } from '../../../../servers/src/redis.ts'
import { sparePort } from '../../../../servers/src/process.ts'
import type { RedisAdapter } from '../../src/stores/redis/adapter.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { adapterOn, newPrefix, storeOn } from './redis-fixture.ts'
import { applied, batch, count, entry, fault } from './sqlite-fixture.ts'

const SLOTS = 16_384
const NODES = 3

/** Nodes that share the slots equally; undefined where there is no Redis. */
async function cluster(): Promise<readonly RedisServer[] | undefined> {
  const nodes: RedisServer[] = []
  for (let node = 0; node < NODES; node += 1) {
    const bus = ['--cluster-enabled', 'yes', '--cluster-port', String(await sparePort())]
    const server = await redisServer([...DURABLE, ...bus])
    if ('reason' in server) return undefined
    nodes.push(server)
  }
  const clients = nodes.map(({ url }) => new Redis(url))
  const share = Math.ceil(SLOTS / NODES)
  for (const [node, client] of clients.entries()) {
    const last = Math.min((node + 1) * share, SLOTS) - 1
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(node * share), String(last))
    const port = new URL(nodes[0]?.url ?? '').port
    const bus = /:\d+@(\d+)/.exec(String(await clients[0]?.call('CLUSTER', 'NODES')))?.[1] ?? ''
    if (node > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', port, bus)
  }
  for (const client of clients) {
    while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
      await new Promise((resolve) => setTimeout(resolve, 50))
    client.disconnect()
  }
  return nodes
}

// A cluster may forget: every store would warn of it.
const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
const nodes = await cluster()
const roots = (nodes ?? []).map(({ url }) => new URL(url))
const ioredis = new Cluster(
  roots.map(({ hostname, port }) => ({ host: hostname, port: Number(port) })),
  { lazyConnect: true },
)
const nodeRedis = createCluster({ rootNodes: roots.map(({ href }) => ({ url: href })) })
if (nodes !== undefined) await nodeRedis.connect()

afterAll(async () => {
  warn.mockRestore()
  ioredis.disconnect()
  if (nodes !== undefined) nodeRedis.destroy()
  for (const node of nodes ?? []) await node.stop()
})

storeConformance(
  'Redis, a cluster of three nodes, one handle with each client',
  ({ now, leaseTtlMs }) => {
    const prefix = newPrefix()
    const handle = (client: RedisClient): RedisAdapter => adapterOn(client, { prefix, leaseTtlMs, now })
    const [one, other] = [handle(ioredis), handle(nodeRedis)]
    return {
      store: one,
      another: () => other,
      dispose: async () => void (await Promise.all([one.close(), other.close()])),
    }
  },
  { describe: nodes === undefined ? describe.skip : describe, it, expect },
  { sequences: 2, deletes: true },
)

describe.skipIf(nodes === undefined)('a cluster of three nodes', () => {
  it.each([
    ['ioredis', ioredis],
    ['node-redis', nodeRedis],
  ] as const)(
    'F11: a time-out of its masters that is longer than a lease lives is told of, with %s',
    async (_name, client: RedisClient) => {
      const warnings: string[] = []
      const adapter = adapterOn(client, { leaseTtlMs: 10_000, warn: (warning) => warnings.push(warning) })
      const masters = roots.map(({ href }) => new Redis(href))
      const set = (ms: string): Promise<unknown> =>
        Promise.all(masters.map((master) => master.config('SET', 'cluster-node-timeout', ms)))
      try {
        await adapter.ready()
        await (await adapter.loadJoin()).release()
        await set('9999')
        await (await adapter.loadJoin()).release()
        expect(warnings.map((warning) => warning.includes('for cluster-node-timeout'))).toEqual([true, false])
      } finally {
        await set('15000')
        for (const master of masters) master.disconnect()
        await adapter.close()
      }
    },
  )

  it.each([
    ['ioredis', ioredis],
    ['node-redis', nodeRedis],
  ] as const)('stores of different prefixes are on different nodes, with %s', async (_name, client: RedisClient) => {
    for (let number = 0; number < 9; number += 1) {
      const store = storeOn(client, { prefix: newPrefix() })
      const entries = [entry({ hold: 3 }), count('calls', 1)]
      expect(applied(await store.exchange(batch(await store.join('test'), 1, { entries }))).entries).toMatchObject([
        { held: 3 },
        { value: 1 },
      ])
    }
  })

  it('strict refuses it, because a failover may lose what was acknowledged', async () => {
    const joining = storeOn(ioredis, { prefix: newPrefix(), strict: true }).join('test')
    await expect(joining).rejects.toMatchObject(fault('store_unsafe'))
    await expect(joining).rejects.toThrow('failover')
  })

  it('slots that no node serves: store_lost, surely not applied', async () => {
    const node = nodes?.[0]
    if (node === undefined) return
    const client = new Redis(node.url, { retryStrategy: null, maxRetriesPerRequest: 0 })
    client.on('error', () => undefined)
    await client.ping()
    await client.call('CLUSTER', 'DELSLOTSRANGE', '0', '100')
    await expect(storeOn(client, { prefix: newPrefix() }).join('test')).rejects.toMatchObject(
      fault('store_lost', { transient: true }),
    )
    client.disconnect()
  })
})
