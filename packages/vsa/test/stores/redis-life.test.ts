import { afterAll, describe, expect, it, vi } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { adaptedStore } from '../../src/core/adapted-store.ts'
import type { AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { type CheckedServer, incarnationOf, lifeOf } from '../../src/stores/redis/life.ts'
import { EXCHANGE } from '../../src/stores/redis/scripts/exchange.ts'
import type { StoreState } from '../../src/stores/redis/state.ts'
import { adapterOn, clientOn, newPrefix } from './redis-fixture.ts'
import { applied, batch, entry } from './sqlite-fixture.ts'

const SOUND: CheckedServer = { run: 'r2', mayForget: false, isPromoted: false }
const FORGETFUL: CheckedServer = { ...SOUND, mayForget: true }
const PROMOTED: CheckedServer = { ...SOUND, isPromoted: true }

describe('the incarnation of a store in Redis', () => {
  it.each([
    ['new, on a sound server', null, SOUND, 'g'],
    ['new, on one that may forget', null, FORGETFUL, 'g:r2'],
    ['new, on one that was promoted', null, PROMOTED, 'g/r2'],
    ['after a restart of a sound server', 'g', SOUND, 'g'],
    ['after a restart of a sound server that followed another', 'g/r1', SOUND, 'g/r1'],
    ['after a restart of one that may forget', 'g:r1', FORGETFUL, 'g:r2'],
    ['in the same process of one that may forget', 'g:r2', FORGETFUL, 'g:r2'],
    ['on one that may forget since now', 'g', FORGETFUL, 'g:r2'],
    ['on one that may forget, after a sound one', 'g/r2', FORGETFUL, 'g:r2'],
    ['on one that no longer may forget', 'g:r2', SOUND, 'g:r2'],
    ['on a sound one, after the process of one that may have forgotten', 'g:r1', SOUND, 'g/r2'],
    ['on a sound one that was promoted', 'g', PROMOTED, 'g/r2'],
    ['on a sound one that was promoted, again', 'g/r2', PROMOTED, 'g/r2'],
  ] as const)('F1: %s', (_what, kept, server, incarnation) => {
    expect(incarnationOf('g', kept, server)).toBe(incarnation)
  })

  it('F4: owners remember while its incarnation is that of a process', () => {
    const state: StoreState = {
      ...{ now: 1, seen: 1, gen: 'g', run: 'r2', runSeen: 'r2', epochs: '0', prunes: '0', leap: '', versions: '0' },
      ...{ incarnationKept: 'g:r2', frozenUntil: 7, frozenKept: '7', deletions: '' },
    }
    const life = { incarnation: 'g:r2', keptIncarnation: 'g:r2', frozenUntil: 7, mayForget: true }
    expect(lifeOf(state, SOUND)).toEqual(life)
    expect(lifeOf({ ...state, incarnationKept: 'g' }, SOUND)).toMatchObject({ incarnation: 'g', mayForget: false })
    expect(lifeOf({ ...state, incarnationKept: '' }, SOUND)).toMatchObject({ incarnation: 'g', keptIncarnation: null })
  })
})

const servers = {
  everysec: await redisServer(['--appendonly', 'yes', '--appendfsync', 'everysec']),
  always: await redisServer(DURABLE),
} as const

afterAll(async () => {
  for (const server of Object.values(servers)) if ('stop' in server) await server.stop()
})

const LEASE_TTL_MS = 10_000

interface Bench {
  readonly store: Store
  /** How often the fast path was asked. */
  readonly asked: () => number
  /** What the hash of the store has. */
  kept(field: string): Promise<string | null>
  /** The next batch of this owner takes one unit. */
  take(owner: Joined): Promise<AppliedAnswer>
  restart(): Promise<void>
  /** Removes every key of the server. */
  wipe(): Promise<unknown>
  pass(ms: number): void
}

function bench(server: (typeof servers)[keyof typeof servers], fastPath = true): Bench {
  let now = 1_750_000_000_000
  let tokens = 0
  const prefix = newPrefix()
  const client = clientOn('url' in server ? server.url : '', { maxRetriesPerRequest: 20 })
  const sent = vi.spyOn(client, 'callBuffer')
  let generations = 0
  const newGeneration = (): string => `generation ${(generations += 1)}`
  const adapter = adapterOn(client, { prefix, leaseTtlMs: LEASE_TTL_MS, fastPath, newGeneration, now: () => now })
  const newToken = (): string => `token ${(tokens += 1)}`
  const store = adaptedStore(adapter, { now: () => now, upkeepEveryMs: 3_600_000 }, newToken)
  const seqs = new Map<Joined, number>()
  const next = (owner: Joined): Batch => {
    const seq = (seqs.get(owner) ?? 0) + 1
    seqs.set(owner, seq)
    return batch(owner, seq, { entries: [entry()], takes: [{ need: [[0, 1]], n: 1 }] })
  }
  return {
    store,
    asked: () => sent.mock.calls.filter((values) => values.includes(EXCHANGE.sha)).length,
    kept: (field) => client.hget(`{${prefix}}:s`, field),
    take: async (owner) => applied(await store.exchange(next(owner))),
    restart: async () => {
      // On a loaded machine an fsync may hold up the next write by 2 s: what this test is about must be in the file.
      while (!(await client.info('persistence')).includes('aof_buffer_length:0')) await client.ping()
      if ('restart' in server) await server.restart('SIGKILL')
    },
    wipe: () => client.flushall(),
    pass: (ms) => void (now += ms),
  }
}

describe.skipIf('reason' in servers.always)('a server that is killed and started again', () => {
  it.each([true, false])(
    'F1, F3: with appendfsync everysec its store is frozen for one lease lifetime, with the fast path %s',
    async (fastPath) => {
      const { store, take, restart, pass, kept, asked } = bench(servers.everysec, fastPath)
      const before = await store.join('test')
      expect(before).toMatchObject({ mayForget: true, frozenUntil: 0 })
      expect(await take(before)).toMatchObject({ granted: [1], frozenUntil: 0 })
      await restart()
      expect(await store.exchange(batch(before, 2))).toMatchObject({ kind: 'fenced', forgot: true, last: { seq: 1 } })
      const owner = await store.join('test')
      expect(owner.incarnation).not.toBe(before.incarnation)
      expect(await kept('incarnation')).toBe(owner.incarnation)
      expect(await take(owner)).toMatchObject({ granted: [0], frozenUntil: owner.frozenUntil })
      pass(owner.frozenUntil - owner.time - 1)
      expect((await take(owner)).granted).toEqual([0])
      pass(1)
      expect(await take(owner)).toMatchObject({ granted: [1], frozenUntil: 0 })
      // The fast path decides again.
      const askedBefore = asked()
      await take(owner)
      expect(asked() - askedBefore).toBe(Number(fastPath))
    },
  )

  it('L1: with appendfsync always it goes on in its incarnation, and nothing is frozen', async () => {
    const { store, take, restart, kept } = bench(servers.always)
    const owner = await store.join('test')
    expect(owner).toMatchObject({ mayForget: false, frozenUntil: 0 })
    expect((await take(owner)).granted).toEqual([1])
    const run = await kept('run')
    await restart()
    expect(await take(owner)).toMatchObject({ kind: 'applied', granted: [1], frozenUntil: 0, entries: [{ used: 2 }] })
    expect(await kept('run')).not.toBe(run)
    expect(await kept('incarnation')).toBe(owner.incarnation)
  })

  it('F3: a store whose keys are all gone while an owner uses it is frozen for one lease lifetime, a new one is not', async () => {
    const { store, take, wipe, pass } = bench(servers.everysec)
    const before = await store.join('test')
    expect((await take(before)).granted).toEqual([1])
    await wipe()
    await expect(store.exchange(batch(before, 2))).rejects.toMatchObject({ code: 'store_lost', transient: true })
    expect(await store.exchange(batch(before, 2))).toMatchObject({ kind: 'fenced', forgot: true, last: null })
    const owner = await store.join('test')
    expect(owner.frozenUntil - owner.time).toBe(LEASE_TTL_MS)
    expect((await take(owner)).granted).toEqual([0])
    pass(LEASE_TTL_MS)
    expect((await take(owner)).granted).toEqual([1])
  })
})
