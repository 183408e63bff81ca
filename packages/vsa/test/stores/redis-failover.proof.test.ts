import type { Redis } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { DURABLE, redisServer, type RedisServer } from '../../../../servers/src/redis.ts'
import { type Budget, open, type Vsa } from '../../src/index.ts'
import type { RedisAdapter } from '../../src/stores/redis/adapter.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { rounds } from '../rounds.ts'
import { adapterOn, clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { proxyTo } from './tcp-proxy.ts'

const LEASE_TTL_MS = 3_000
const UNITS = 100
const WAITING = { deadlineMs: 60_000 } as const

vi.spyOn(console, 'warn').mockImplementation(() => undefined)

interface Pair {
  /** Of the master, whichever that is. */
  readonly client: RedisClient
  /** Until all that was written is on the replica. */
  synced(): Promise<void>
  /** The replica gets nothing from now on. */
  cutOff(): Promise<void>
  /** The master ends, and the replica becomes the master. */
  promote(): Promise<void>
}

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
  return {
    client: { callBuffer: send },
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

function ownerOn(client: RedisClient, prefix: string, events: string[]): Vsa {
  const store = storeOn(client, { prefix, leaseTtlMs: LEASE_TTL_MS, upkeepEveryMs: 100 })
  const vsa = open({ store, flushIntervalMs: 10, onEvent: ({ type }) => events.push(type) })
  onTestFinished(() => vsa.close().catch(() => undefined))
  return vsa
}

/** How many of these single units are admitted. */
async function admitted(budget: Budget, count: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => budget.admit(1, WAITING)))
  return answers.filter(Boolean).length
}

describe('a replica that was cut off is promoted, without the last writes', () => {
  it.for([true, false])(
    'F3 to F5, L1: no unit is admitted twice, and each one is admitted or burned; durable: %s',
    async (durable, { skip }) => {
      const { client, synced, cutOff, promote } = await pair(skip)
      const prefix = newPrefix()
      const events: string[] = []
      const [a, b] = [ownerOn(client, prefix, events), ownerOn(client, prefix, [])]
      const policy = durable ? { initial: UNITS, atRisk: 0 } : { initial: UNITS, atRisk: 20 }
      const before = await admitted(a.budget('seat', policy), 5)
      await a.flush()
      await b.ready()
      await synced()
      await cutOff()
      const lost = await admitted(a.budget('seat', policy), 50)
      await a.flush()
      expect(before + lost).toBe(55)
      await promote()
      const startedAtMs = performance.now()
      const [more, others] = await Promise.all([
        admitted(a.budget('seat', policy), 60),
        admitted(b.budget('seat', policy), 60),
      ])
      const waitedMs = performance.now() - startedAtMs
      expect(waitedMs).toBeGreaterThan(LEASE_TTL_MS * 0.9)
      const total = before + lost + more + others
      const { rows } = await storeOn(client, { prefix }).list({ limit: 9 })
      const { budget } = rows[0] ?? {}
      expect(total).toBeLessThanOrEqual(UNITS)
      expect(events.filter((type) => type === 'store_forgot')).toHaveLength(1)
      expect(budget).toMatchObject({ minted: UNITS, pool: 0 })
      // What was leased and not spent burns, too.
      if (durable) expect([total, budget?.used, budget?.burned]).toEqual([UNITS, UNITS - lost, lost])
    },
  )
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
    { forgets: true, sequences: rounds(2) },
  )
})
