import { afterAll, describe, expect, it } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import type { AppliedAnswer, Batch, BudgetEntry } from '../../src/core/exchange.ts'
import type { Store } from '../../src/core/store.ts'
import { inspectRedis } from '../../src/stores/redis/inspect.ts'
import { Session } from '../../src/stores/redis/session.ts'
import { allRows, assertBalanced } from '../../src/testing/conformance/listed-rows.ts'
import { seededRandom, wholeBetween, type Random } from '../../src/testing/random.ts'
import { rounds } from '../rounds.ts'
import { reserving, settling } from './redis-credits-fixture.ts'
import { assertSums, clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { applied, batch, entry, initial } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const url = 'url' in server ? server.url : ''
const client = newClient(url, { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

const OWNERS = 8
const EXCHANGES = 40
const DELETIONS = 20
/** Kept is never deleted. */
const KEYS = ['busy', 'other', 'kept'] as const
const policy = { ...initial, limit: 1_000_000, burnMax: 1_000_000 }

/** What one owner knows, as an engine does, and what it has spent of the key that is never deleted. */
interface Books {
  readonly held: Map<string, number>
  readonly known: Set<string>
  kept: number
  deleted: number
}

function entryOf(key: string, random: Random, { held, known }: Books): BudgetEntry {
  const spent = wholeBetween(random, 0, held.get(key) ?? 0)
  const mint = wholeBetween(random, 0, 9) === 0 ? { id: `m ${wholeBetween(random, 1, 50)}`, units: 1 } : undefined
  return entry({ key, policy, known: known.has(key), spent, hold: wholeBetween(random, 0, 5), ...(mint && { mint }) })
}

/** Keeps what the answer says. A lease that was deleted, and what was spent of it, is forgotten. */
function heard(books: Books, sent: Batch, { entries, granted }: AppliedAnswer): void {
  for (const [at, answer] of entries.entries()) {
    const asked = sent.entries[at]
    if (asked?.kind !== 'budget') continue
    expect(answer.kind, JSON.stringify([asked, answer])).toMatch(/^(budget|deleted)$/)
    books.known.delete(asked.key)
    books.held.delete(asked.key)
    if (answer.kind === 'deleted') books.deleted += 1
    if (answer.kind !== 'budget') continue
    books.known.add(asked.key)
    books.held.set(asked.key, answer.held)
    if (asked.key === 'kept') books.kept += asked.spent + (granted[0] ?? 0)
  }
}

async function work(store: Store, random: Random, label: string): Promise<Books> {
  const joined = await store.join(label)
  const books: Books = { held: new Map(), known: new Set(), kept: 0, deleted: 0 }
  for (let seq = 1; seq <= EXCHANGES; seq += 1) {
    const entries = KEYS.map((key) => entryOf(key, random, books))
    const id = `${label} ${seq}`
    const isReserving = wholeBetween(random, 0, 7) === 0
    // The first take is of the key that stays, alone.
    const takes = [{ need: [[2, 1]] as const, n: 1 }, ...(isReserving ? [reserving(id, [1, 1])] : [])]
    const changes = wholeBetween(random, 0, 7) === 0 ? [settling(`${label} ${seq - 1}`, 1, 'other')] : []
    const sent = batch(joined, seq, { entries, takes, changes })
    heard(books, sent, applied(await store.exchange(sent)))
  }
  return books
}

describe.skipIf('reason' in server)('deletions in Redis beside 8 owners in a loop', () => {
  it.each(Array.from({ length: rounds(1) }, (_, seed) => seed))(
    'P6, L1, L2: rows, leases and indexes balance, owners hear, and nothing of another key is lost (seed %i)',
    async (seed) => {
      const prefix = newPrefix()
      const handle = (): Store => storeOn(clientOn(url), { prefix, upkeepEveryMs: 100 })
      let isDone = false
      const working = Promise.all(
        Array.from({ length: OWNERS }, (_, at) => work(handle(), seededRandom(100 * seed + at), `owner ${at}`)),
      ).finally(() => (isDone = true))
      const deleting = [1, 2].map(async (deleter) => {
        const store = handle()
        let deletions = 0
        for (; deletions < DELETIONS && !isDone; deletions += 1)
          while (!(await store.delete?.(KEYS[(deletions + deleter) % 2] ?? 'busy')));
        return deletions
      })
      const [books, deletions] = [await working, await Promise.all(deleting)]
      const store = handle()
      const rows = await allRows(store)
      assertBalanced(rows)
      await assertSums(client, prefix)
      const kept = rows.find(({ budget }) => budget.key === 'kept')
      expect(kept?.budget.used).toBe(books.reduce((sum, one) => sum + one.kept, 0))
      const told = { deletions, deleted: books.reduce((sum, { deleted }) => sum + deleted, 0) }
      expect(Math.min(...told.deletions, told.deleted), JSON.stringify(told)).toBeGreaterThan(0)
      expect(await (await inspectRedis(new Session(client, prefix))).integrity()).toEqual([])
      for (const key of ['busy', 'other']) while (!(await store.delete?.(key)));
      expect((await allRows(store)).map(({ budget }) => budget.key)).toEqual(['kept'])
      await assertSums(client, prefix)
    },
    60_000,
  )
})
