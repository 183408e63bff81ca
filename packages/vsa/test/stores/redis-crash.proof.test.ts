import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DURABLE, redisServer, type RedisServer } from '../../../../servers/src/redis.ts'
import type { BudgetEntry } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { seededRandom, wholeBetween } from '../../src/testing/random.ts'
import { rounds } from '../rounds.ts'
import { assertSums, certain, clientOn, newPrefix, storeOn } from './redis-fixture.ts'
import { applied, batch, count, entry, initial } from './sqlite-fixture.ts'

/** A server for one test; the test is skipped where there is none. */
async function serverFor(skip: (reason: string) => void, options: readonly string[]): Promise<RedisServer> {
  const server = await redisServer(options)
  if ('reason' in server) return skip(server.reason) as never
  onTestFinished(() => server.stop())
  return server
}

const CRASHES = 5 * rounds(1)
const policy = { ...initial, limit: 1_000_000_000 }
const takes = [{ need: [[0, 1]] as const, n: 1 }]

describe.each([true, false])('a server that is killed and started again, with the fast path %s', (fastPath) => {
  it('L1, L3: with appendfsync always every acknowledged exchange is there, and the same seq is applied once', async ({
    skip,
  }) => {
    const server = await serverFor(skip, DURABLE)
    const prefix = newPrefix()
    const store = storeOn(clientOn(server.url), { prefix, strict: true, leaseTtlMs: 600_000, fastPath })
    const joined = await store.join('test')
    const random = seededRandom(1)
    let seq = 0
    const kinds = new Set<string>()
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const until = seq + wholeBetween(random, 20, 200)
      let restarted: Promise<void> | undefined
      while (restarted === undefined || seq < until + 20) {
        if (seq === until) restarted ??= server.restart('SIGKILL')
        const sent = batch(joined, seq + 1, { entries: [entry({ policy }), count('calls', 1)], takes })
        const answer = await certain(store, sent)
        seq += 1
        kinds.add(answer.kind)
        expect(answer).toMatchObject({ granted: [1], entries: [{ used: seq }, { value: seq }] })
      }
      await restarted
    }
    expect([...kinds].filter((kind) => kind !== 'applied' && kind !== 'replayed')).toEqual([])
    await assertSums(clientOn(server.url), prefix)
  })

  it('L1, L2: 16 owners on overlapping rows, each batch sent twice at once, with closes and upkeep', async ({
    skip,
  }) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const server = await serverFor(skip, [])
    const prefix = newPrefix()
    const owners = Array.from({ length: 16 }, (_, number) => {
      const store = storeOn(clientOn(server.url), { prefix, fastPath, upkeepEveryMs: 0, leaseTtlMs: 60_000 })
      return busy(store, number + 1)
    })
    const granted = (await Promise.all(owners)).reduce((sum, units) => sum + units, 0)
    const client = clientOn(server.url)
    await assertSums(client, prefix)
    const { rows } = await storeOn(client, { prefix }).list({ limit: 1_000 })
    expect(rows.reduce((sum, { budget }) => sum + budget.used, 0)).toBe(granted)
  })
})

const ROUNDS = 40
const ROWS = 12

/** Batches of random rows in random order, each sent twice at once; every eighth closes the epoch. @returns units that were granted */
async function busy(store: Store, seed: number): Promise<number> {
  const random = seededRandom(seed)
  let [joined, seq]: [Joined, number] = [await store.join('test'), 0]
  let granted = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const keys = new Set(Array.from({ length: 6 }, () => `row ${wholeBetween(random, 0, ROWS - 1)}`))
    const entries: BudgetEntry[] = [...keys].map((key) => entry({ key, policy, hold: wholeBetween(random, 0, 3) }))
    const close = round % 8 === 7
    const sent = batch(joined, (seq += 1), { entries, takes, close })
    const answers = await Promise.all([certain(store, sent), certain(store, sent)])
    expect(answers.map(({ kind }) => kind).toSorted()).toEqual(close ? ['applied', 'fenced'] : ['applied', 'replayed'])
    granted += applied(answers.find(({ kind }) => kind === 'applied') ?? answers[0]).granted[0] ?? 0
    if (close) [joined, seq] = [await store.join('test'), 0]
  }
  return granted
}
