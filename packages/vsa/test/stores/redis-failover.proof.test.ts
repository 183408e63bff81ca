import type { Redis } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { DURABLE, redisServer, type RedisServer } from '../../../../servers/src/redis.ts'
import type { RedisAdapter } from '../../src/stores/redis/adapter.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { rounds } from '../rounds.ts'
import { failOver, type Pair } from './failover-fixture.ts'
import { adapterOn, clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { proxyTo } from './tcp-proxy.ts'

vi.spyOn(console, 'warn').mockImplementation(() => undefined)

/** A master and its replica; the test is skipped where there is no Redis. */
async function pair(skip: (reason: string) => void): Promise<Pair> {
  const master = await serverFor(skip, [])
  const wire = await proxyTo(master.url)
  const replica = await serverFor(skip, ['--replicaof', '127.0.0.1', new URL(wire.url).port])
  const clients = { master: clientOn(master.url), replica: clientOn(replica.url) }
  await until(clients.master, /state=online/)
  let current = clients.master
  const send = async (command: string, ...values: (string | number | Uint8Array)[]): Promise<unknown> => {
    return current.callBuffer(command, ...values.map((it) => (typeof it === 'object' ? Buffer.from(it) : it)))
  }
  const prefix = newPrefix()
  return {
    store: (leaseTtlMs) => storeOn({ callBuffer: send }, { prefix, leaseTtlMs, upkeepEveryMs: 100 }),
    synced: async () => expect(await clients.master.wait(1, 10_000)).toBe(1),
    cutOff: () => wire.close(),
    promote: async () => {
      await master.crash?.()
      await clients.replica.replicaof('NO', 'ONE')
      current = clients.replica
    },
  }
}

async function serverFor(skip: (reason: string) => void, options: readonly string[]): Promise<RedisServer> {
  const server = await redisServer([...DURABLE, '--repl-diskless-sync-delay', '0', ...options])
  if ('reason' in server) return skip(server.reason) as never
  onTestFinished(() => server.stop())
  return server
}

async function until(client: Redis, state: RegExp): Promise<void> {
  while (!state.test(await client.info('replication'))) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('a replica that was cut off is promoted, without the last writes', () => {
  it.for([true, false])(
    'F3 to F5, L1: no unit is admitted twice, and each one is admitted or burned; durable: %s',
    async (isDurable, { skip }) => failOver(await pair(skip), isDurable),
  )
})

it('F11: a master that would go on granting when it is cut off is told of, until it is set to stop in time', async ({
  skip,
}) => {
  const master = await serverFor(skip, [])
  const client = clientOn(master.url)
  await serverFor(skip, ['--replicaof', '127.0.0.1', new URL(master.url).port])
  await until(client, /state=online/)
  const warnings: string[] = []
  const adapter = adapterOn(client, { leaseTtlMs: 10_000, warn: (warning) => warnings.push(warning) })
  onTestFinished(() => adapter.close())
  await adapter.ready()
  for (const settings of [[], ['min-replicas-to-write', '1'], ['min-replicas-max-lag', '9']] as const) {
    if (settings.length > 0) await client.config('SET', ...settings)
    await (await adapter.loadJoin()).release()
  }
  const told = warnings.map((warning) => [
    warning.includes('a failover loses'),
    warning.includes('beside its successor'),
  ])
  expect(told).toEqual([
    [true, true],
    [true, true],
    [true, false],
  ])
})

describe('a master that is killed without its last writes', () => {
  let server: RedisServer | undefined
  afterAll(() => server?.stop())
  storeConformance(
    'Redis that may forget',
    async ({ now, leaseTtlMs }) => {
      const running = server ?? (await redisServer([]))
      if ('reason' in running) throw new Error(running.reason)
      server = running
      const prefix = newPrefix()
      const client = newClient(running.url, { retryStrategy: () => 20 })
      const handle = (): RedisAdapter => adapterOn(client, { prefix, leaseTtlMs, now })
      const store = handle()
      return {
        store,
        another: handle,
        startLosing: async () => {
          // A store that is lost with all its keys is a new one.
          await store.ready()
          await client.save()
          return () => running.restart('SIGKILL')
        },
        dispose: async () => client.disconnect(),
      }
    },
    { describe, it, expect },
    { forgets: true, sequences: rounds(2), deletes: true },
  )
})
