import { afterAll, describe, expect, it, vi } from 'vitest'
import { connectionOf } from '../../src/stores/redis/client.ts'
import { storeErrorOf } from '../../src/stores/redis/errors.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { refusalOf, risksOf, type ServerFacts } from '../../src/stores/redis/safety.ts'
import { INFO } from '../../src/stores/redis/scripts/open.ts'
import { script } from '../../src/stores/redis/scripts/script.ts'
import { Session } from '../../src/stores/redis/session.ts'
import { backoff } from '../../src/stores/redis/backoff.ts'
import { clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { applied, batch, count, entry, fault } from './sqlite-fixture.ts'

const taking = { entries: [entry(), count('calls', 1)], takes: [{ need: [[0, 1]] as const, n: 3 }] }
const again = { transient: true } as const

const sound: ServerFacts = {
  version: '7.0.15',
  run: 'r',
  formerReplication: '0000',
  isReplica: false,
  isCluster: false,
  replicas: 0,
  isAppendOnly: true,
  appendFsync: 'always',
  maxmemoryPolicy: 'noeviction',
  replicasMin: 1,
  replicaLagMaxMs: 9_000,
  clusterTimeoutMs: 9_999,
}
const LEASE_TTL_MS = 10_000

describe('what a server may forget', () => {
  it('L1: a replica, allkeys-… and a version that is too old are refused', () => {
    expect(refusalOf(sound)).toBeUndefined()
    expect(refusalOf({ ...sound, version: undefined, maxmemoryPolicy: 'volatile-lru' })).toBeUndefined()
    expect(refusalOf({ ...sound, version: '6.2.0' })).toBeUndefined()
    expect(refusalOf({ ...sound, version: '6.0.20' })).toMatch(/6\.2 or newer is needed/)
    expect(refusalOf({ ...sound, version: '10.0.0' })).toBeUndefined()
    expect(refusalOf({ ...sound, isReplica: true })).toMatch(/replica/)
    expect(refusalOf({ ...sound, maxmemoryPolicy: 'allkeys-lfu' })).toMatch(/noeviction/)
  })

  it.each<readonly [what: string, facts: Partial<ServerFacts>, risk: RegExp]>([
    ['snapshots alone', { isAppendOnly: false }, /since the last snapshot/],
    ['appendfsync everysec', { appendFsync: 'everysec' }, /everysec: a power cut loses the last second/],
    ['an unknown appendfsync', { appendFsync: undefined }, /cannot be read/],
    ['replicas', { replicas: 1 }, /failover/],
    ['a cluster', { isCluster: true }, /failover/],
    ['unknown replicas', { replicas: undefined }, /replicas cannot be read/],
    ['an unknown run id', { run: undefined }, /run id cannot be read/],
    ['an unknown policy', { maxmemoryPolicy: undefined }, /maxmemory-policy cannot be read/],
  ])('%s: one risk, with its remedy', (_what, facts, risk) => {
    expect(risksOf(sound, LEASE_TTL_MS)).toEqual([])
    expect(risksOf({ ...sound, ...facts }, LEASE_TTL_MS)).toEqual([expect.stringMatching(risk)])
  })

  it.each<readonly [what: string, facts: Partial<ServerFacts>, isTold: boolean]>([
    ['a master that needs no replica', { replicas: 1, replicasMin: 0 }, true],
    ['one whose replica may be silent for a lease lifetime', { replicas: 1, replicaLagMaxMs: LEASE_TTL_MS }, true],
    ['one whose settings cannot be read', { replicas: 1, replicasMin: undefined, replicaLagMaxMs: undefined }, true],
    ['one that stops in time', { replicas: 1 }, false],
    ['a cluster that waits for a lease lifetime', { isCluster: true, clusterTimeoutMs: LEASE_TTL_MS }, true],
    ['a cluster whose time-out cannot be read', { isCluster: true, clusterTimeoutMs: undefined }, true],
    ['a cluster that stops in time', { isCluster: true, replicasMin: 0 }, false],
    ['one without replicas', { replicasMin: 0 }, false],
  ])('F11: %s: two masters that grant at once are told of, where they may be', (_what, facts, isTold) => {
    const told = risksOf({ ...sound, ...facts }, LEASE_TTL_MS).filter((risk) => risk.includes('beside its successor'))
    expect(told).toEqual(isTold ? [expect.stringMatching(/below the lease lifetime, 10000 ms$/)] : [])
  })
})

it('each kind of client gets the command in its own form', async () => {
  const sent: unknown[] = []
  const record = (...values: unknown[]): Promise<unknown> => Promise.resolve(sent.push(values))
  const withTypeMapping = (): { sendCommand: typeof record } => ({ sendCommand: record })
  const clients: readonly RedisClient[] = [
    { callBuffer: record },
    { withTypeMapping },
    { withTypeMapping, acquire: record },
    { withTypeMapping, nodeClient: record },
  ]
  for (const client of clients) await connectionOf(client).send('key', 'PING', ['a'])
  expect(sent).toEqual([['PING', 'a'], [['PING', 'a']], [false, ['PING', 'a']], ['key', false, ['PING', 'a']]])
})

describe('errors', () => {
  it.each([
    ['NOSCRIPT No matching script. Please use EVAL.', 'store_lost', 'no', true],
    ['LOADING Redis is loading the dataset in memory', 'store_lost', 'no', true],
    ['BUSY Redis is busy running a script.', 'store_busy', 'no', true],
    [
      'ERR Script attempted to access a non local key in a cluster node script: f, on @user_script:9.',
      'store_lost',
      'no',
      true,
    ],
    ['CLUSTERDOWN Hash slot not served', 'store_lost', 'no', true],
    ['MOVED 3999 127.0.0.1:6381', 'store_lost', 'no', true],
    ['Too many Cluster redirections. Last error: ReplyError: MOVED 1 a:1', 'store_lost', 'no', true],
    ["READONLY You can't write against a read only replica.", 'read_only', 'no', true],
    ["READONLY You can't write against a read only replica. script: f, on @user_script:40.", 'read_only', 'no', true],
    [
      'ERR Error running script (call to f_1): @user_script:9: @user_script: 9: -OOM command not allowed',
      'disk_full',
      'no',
      true,
    ],
    [
      'ERR Error running script (call to f_1): @user_script:9: WRONGTYPE Operation against a key holding the wrong kind of value',
      'store_failed',
      'no',
      false,
    ],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'disk_full', 'no', true],
    ['MISCONF Redis is configured to save RDB snapshots', 'disk_full', 'no', true],
    ['NOREPLICAS Not enough good replicas to write.', 'store_lost', 'no', true],
    ['NOAUTH Authentication required.', 'store_failed', 'no', false],
    ['WRONGPASS invalid username-password pair', 'store_failed', 'no', false],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'store_failed', 'no', false],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'store_failed', 'no', false],
    ['ERR user_script:12: attempt to index a nil value', 'store_failed', 'unknown', false],
    ['UNKILLABLE Sorry the script already executed write commands', 'store_lost', 'unknown', true],
    ["Stream isn't writeable and enableOfflineQueue options is false", 'store_lost', 'no', true],
    ['The client is offline', 'store_lost', 'no', true],
    ['The client is closed', 'store_lost', 'no', true],
    ['connect ECONNREFUSED 127.0.0.1:6379', 'store_lost', 'no', true],
    ['getaddrinfo ENOTFOUND redis.example', 'store_lost', 'no', true],
    ['None of startup nodes is available', 'store_lost', 'no', true],
    ['Socket closed unexpectedly', 'store_lost', 'unknown', true],
    ['Reached the max retries per request limit (which is 20).', 'store_lost', 'unknown', true],
    ['Command timed out', 'store_lost', 'unknown', true],
    ['Connection is closed.', 'store_lost', 'unknown', true],
    ['read ECONNRESET', 'store_lost', 'unknown', true],
  ] as const)('%s: %s, applied %s', (message, code, isApplied, transient) => {
    const error = new Error(message)
    expect(storeErrorOf(error, 'vsa', 'save')).toMatchObject(
      fault(code, { applied: isApplied, transient, cause: error }),
    )
    expect(storeErrorOf(error, 'vsa', 'load')).toMatchObject(fault(code, { transient }))
  })

  it('an error without a message is told by its code', () => {
    const error = Object.assign(new Error(''), { code: 'ECONNREFUSED' })
    expect(storeErrorOf(error, 'vsa', 'save')).toMatchObject(fault('store_lost', again))
    expect(String(storeErrorOf(error, 'vsa', 'save'))).toContain('ECONNREFUSED')
  })

  it('the pause before a new try grows to a bound, and is random', async () => {
    const slept: number[] = []
    const pause = backoff({ random: () => 0.5, sleep: async (ms) => void slept.push(ms) })
    for (const tries of [1, 2, 3, 7, 8, 99]) await pause(tries)
    expect(slept).toEqual([0.5, 1, 2, 32, 32, 32])
  })
})

const server = await redisServer(DURABLE)
const url = 'url' in server ? server.url : ''
const admin = newClient(url, { lazyConnect: true })

afterAll(async () => {
  admin.disconnect()
  if ('stop' in server) await server.stop()
})

/** Runs the work on a server with this setting, then sets it back. */
async function withSetting(name: string, value: string, back: string, work: () => Promise<void>): Promise<void> {
  await admin.config('SET', name, value)
  try {
    await work()
  } finally {
    await admin.config('SET', name, back)
  }
}

describe.skipIf('reason' in server)('a server that changes', () => {
  it('without memory: disk_full, nothing is applied, and the same batch is applied later', async () => {
    const store = storeOn(clientOn(url), { prefix: newPrefix() })
    const sent = batch(await store.join('test'), 1, taking)
    await withSetting('maxmemory', '1', '0', async () => {
      await expect(store.exchange(sent)).rejects.toMatchObject(fault('disk_full', again))
    })
    expect(applied(await store.exchange(sent)).entries).toMatchObject([{ used: 3 }, { value: 1 }])
  })

  it('L1: one that becomes a replica: read_only, also for an owner that it does not know; a new store refuses it', async () => {
    const prefix = newPrefix()
    const store = storeOn(clientOn(url), { prefix })
    const joined = await store.join('test')
    const sent = batch(joined, 1, taking)
    await admin.replicaof('127.0.0.1', '1')
    try {
      await expect(store.exchange(sent)).rejects.toMatchObject(fault('read_only', again))
      await expect(store.exchange({ ...sent, epoch: 99 })).rejects.toMatchObject(fault('read_only', again))
      await expect(storeOn(clientOn(url), { prefix }).join('test')).rejects.toMatchObject(fault('store_unsafe'))
    } finally {
      await admin.replicaof('NO', 'ONE')
    }
    expect(applied(await store.exchange(sent)).granted).toEqual([3])
  })

  it('L3: one that is restarted between two calls knows the owner, and gets the scripts again', async () => {
    const client = clientOn(url, { maxRetriesPerRequest: 20 })
    const sent = vi.spyOn(client, 'callBuffer')
    const checks = (): number => sent.mock.calls.filter((values) => values.includes(INFO.sha)).length
    const store = storeOn(client, { prefix: newPrefix() })
    const joined = await store.join('test')
    await store.exchange(batch(joined, 1, taking))
    expect(checks()).toBe(1)
    if ('restart' in server) await server.restart()
    expect(await store.exchange(batch(joined, 1, taking))).toMatchObject({ kind: 'replayed', granted: [3] })
    expect(applied(await store.exchange(batch(joined, 2, taking))).entries).toMatchObject([{ used: 6 }, { value: 2 }])
    await store.exchange(batch(joined, 3, taking))
    // The server may be another one, so it was checked again.
    expect(checks()).toBe(2)
  })

  it('L1: allkeys-… is refused, whatever the options are', async () => {
    await withSetting('maxmemory-policy', 'allkeys-lru', 'noeviction', async () => {
      const joining = storeOn(clientOn(url), { prefix: newPrefix() }).join('test')
      await expect(joining).rejects.toMatchObject(fault('store_unsafe'))
      await expect(joining).rejects.toThrow('Set maxmemory-policy to noeviction')
    })
  })

  it('strict refuses one that may forget; without it there is one warning, and none for one that forgets nothing', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const prefix = newPrefix()
    const join = async (strict: boolean): Promise<unknown> => storeOn(clientOn(url), { prefix, strict }).join('test')
    try {
      await join(true)
      expect(warn).not.toHaveBeenCalled()
      await withSetting('appendfsync', 'everysec', 'always', async () => {
        await expect(join(true)).rejects.toMatchObject(fault('store_unsafe'))
        await expect(join(true)).rejects.toThrow('appendfsync is everysec')
        await join(false)
        await join(false)
        expect(warn.mock.calls).toEqual([[expect.stringMatching(/may forget .* appendfsync is everysec/)]])
      })
    } finally {
      warn.mockRestore()
    }
  })

  it('F4: what it is, is read again at each join: an owner that joins then remembers, and the others join anew', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const prefix = newPrefix()
    const [store, strict] = [false, true].map((isStrict) => storeOn(clientOn(url), { prefix, strict: isStrict }))
    if (store === undefined || strict === undefined) throw new Error('two stores')
    try {
      const [before, other] = [await store.join('test'), await strict.join('test')]
      expect([before, other]).toMatchObject([{ mayForget: false }, { mayForget: false }])
      await withSetting('appendfsync', 'everysec', 'always', async () => {
        await expect(strict.join('test')).rejects.toMatchObject(fault('store_unsafe'))
        // It is about the owner that joins: others go on.
        applied(await strict.exchange(batch(other, 1, taking)))
        expect(warn).not.toHaveBeenCalled()
        const after = await store.join('test')
        expect(after).toMatchObject({ mayForget: true })
        expect(after.frozenUntil).toBeGreaterThan(after.time)
        for (const [owned, owner] of [
          [store, before],
          [strict, other],
        ] as const)
          expect(await owned.exchange(batch(owner, 2, taking))).toMatchObject({ kind: 'fenced', forgot: true })
        expect(warn).toHaveBeenCalledOnce()
      })
    } finally {
      warn.mockRestore()
    }
  })

  it('a user that may not read INFO and CONFIG can use the store, and is warned; one without scripts is refused', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const user = newPrefix()
    const as = (rights: readonly string[]): Promise<unknown> => admin.call('ACL', 'SETUSER', user, ...rights)
    await as(['on', '>secret', '~*', '+@all', '-info', '-config'])
    const client = (): ReturnType<typeof clientOn> => clientOn(url, { username: user, password: 'secret' })
    try {
      const store = storeOn(client(), { prefix: newPrefix() })
      const joined = await store.join('test')
      expect(applied(await store.exchange(batch(joined, 1, taking))).granted).toEqual([3])
      // ioredis warns as well.
      const warnings = warn.mock.calls.flat().filter((text) => String(text).startsWith('vsa:'))
      expect(warnings).toEqual([expect.stringMatching(/appendonly or appendfsync cannot be read/)])
      await expect(storeOn(client(), { prefix: newPrefix(), strict: true }).join('test')).rejects.toThrow(
        'cannot be read',
      )
      await as(['-evalsha', '-eval'])
      await expect(store.exchange(batch(joined, 2, taking))).rejects.toMatchObject(fault('store_failed'))
    } finally {
      warn.mockRestore()
      await admin.call('ACL', 'DELUSER', user)
    }
  })

  it('a script with a bug: unknown, and not transient', async () => {
    const session = new Session(clientOn(url), newPrefix())
    const failing = session.run({ script: script('return nothing.field'), phase: 'save' })
    await expect(failing).rejects.toMatchObject(fault('store_failed', { applied: 'unknown' }))
  })
})
