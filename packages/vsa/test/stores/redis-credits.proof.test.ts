import { createClient } from 'redis'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import type { Answer, Batch, BudgetEntry } from '../../src/core/exchange.ts'
import { lifeAt } from '../../src/core/life.ts'
import { transition } from '../../src/core/transition.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import type { RedisClient } from '../../src/stores/redis/index.ts'
import { EXCHANGE } from '../../src/stores/redis/scripts/exchange.ts'
import { LOAD_EXCHANGE } from '../../src/stores/redis/scripts/load-exchange.ts'
import { LOAD_SWEEP } from '../../src/stores/redis/scripts/load-sweep.ts'
import { SAVE } from '../../src/stores/redis/scripts/save.ts'
import { seededRandom, wholeBetween } from '../../src/testing/random.ts'
import { storeFrom } from '../../src/store-from.ts'
import { rounds } from '../rounds.ts'
import { reserving, settling } from './redis-credits-fixture.ts'
import { adapterOn, assertSums, certain, clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { applied, batch, count, entry, initial } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const url = 'url' in server ? server.url : ''
const client = newClient(url, { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

const names: ReadonlyMap<unknown, string> = new Map([
  [EXCHANGE.sha, 'exchange'],
  [LOAD_EXCHANGE.sha, 'load'],
  [LOAD_SWEEP.sha, 'sweep'],
  [SAVE.sha, 'save'],
])

interface Counted {
  readonly store: Store
  readonly prefix: string
  readonly joined: Joined
  /** The name of each script that was sent. */
  readonly sent: string[]
  next(content: Partial<Batch>): Promise<Answer>
}

async function counted(upkeepEveryMs = 3_600_000): Promise<Counted> {
  const sent: string[] = []
  const counting: RedisClient = {
    callBuffer: (command, ...values) => {
      const name = names.get(values[0])
      if (name !== undefined) sent.push(name)
      return client.callBuffer(command, ...values.map((it) => (typeof it === 'object' ? Buffer.from(it) : it)))
    },
  }
  const prefix = newPrefix()
  const store = storeOn(counting, { prefix, upkeepEveryMs })
  const joined = await store.join('test')
  let seq = 0
  const next = (content: Partial<Batch>): Promise<Answer> => store.exchange(batch(joined, (seq += 1), content))
  return { store, prefix, joined, sent, next }
}

const window = (version: number, changes: Partial<BudgetEntry> = {}): BudgetEntry => {
  const policy = { kind: 'window', limit: 10 * version, burnMax: 5, version, endsAt: 9e12, keepUntil: 9.1e12 } as const
  return entry({ policy, ...changes })
}

describe.skipIf('reason' in server)('credits on the fast path of the Redis store', () => {
  it('L7, R2: a row with reserved units is plain, and answered with them; a reservation takes two scripts', async () => {
    const { next, sent, prefix } = await counted()
    await next({ entries: [window(10, { hold: 5 }), entry({ key: 'other' })] })
    sent.length = 0
    const answer = applied(await next({ entries: [window(10, { hold: 5 })], takes: [reserving('a', [40])] }))
    expect(answer).toMatchObject({ granted: [1], entries: [{ reserved: 40, pool: 55 }] })
    expect(sent).toEqual(['load', 'save'])
    sent.length = 0
    const takes = [{ need: [[0, 30] as const], n: 2 }]
    const plain = applied(
      await next({ entries: [window(10, { known: true, spent: 5 }), entry({ key: 'other' })], takes }),
    )
    expect(plain.granted).toEqual([1])
    expect(plain.entries).toMatchObject([{ reserved: 40, used: 35, pool: 25, held: 0, minted: 100 }, { pool: 100 }])
    expect(plain.entries[1]).not.toHaveProperty('reserved')
    expect(sent).toEqual(['exchange'])
    // It has no lease any more, and stays for its reservation.
    await assertSums(client, prefix)
    await next({ changes: [settling('a', 10)] })
    await assertSums(client, prefix)
  })

  it('P2: a row that begins after one of a higher version is made by the general path, with its terms', async () => {
    const { next, sent } = await counted()
    await next({ entries: [window(5, { period: -7 }), window(4, { key: 'none', period: 3 })] })
    const made = async (...entries: readonly BudgetEntry[]): Promise<readonly unknown[]> => {
      sent.length = 0
      return applied(await next({ entries })).entries
    }
    expect(await made(window(4, { period: 1 }))).toMatchObject([{ limit: 50, version: 5 }])
    expect(sent).toEqual(['exchange', 'load', 'save'])
    // The row of version 5 has handed it on. A later period, a lower one, and one of another kind do not count.
    expect(await made(window(6, { period: 9 }))).toMatchObject([{ limit: 60, version: 6 }])
    expect(await made(window(4, { key: 'none', period: 2 }))).toMatchObject([{ limit: 40, version: 4 }])
    expect(sent).toEqual(['exchange'])
    const other = entry({ key: 'kinds', period: 5, policy: { ...initial, version: 9 } })
    await made(window(7, { key: 'kinds', period: 4 }), other)
    expect(await made(window(6, { key: 'kinds', period: 6 }))).toMatchObject([{ version: 7 }])
    expect(await made(entry({ key: 'kinds', period: 8, policy: { ...initial, version: 1 } }))).toMatchObject([
      { version: 1 },
    ])
    expect(sent).toEqual(['exchange'])
  })

  it('R3, L7: an upkeep is due once a reservation ends, and sweeps it', async () => {
    const { next, sent } = await counted(1)
    await next({ entries: [entry()], takes: [reserving('a', [40], { ttlMs: 150 })] })
    const fromMs = performance.now()
    let reserved: number | undefined = 40
    while (reserved !== undefined && performance.now() < fromMs + 10_000) {
      const [row] = applied(await next({ entries: [entry({ known: true })] })).entries
      reserved = row?.kind === 'budget' ? row.reserved : 0
    }
    expect(reserved).toBeUndefined()
    expect(performance.now() - fromMs).toBeGreaterThan(140)
    expect(sent.filter((name) => name === 'sweep')).toHaveLength(1)
  })

  it('R3: more reservations than one sweep takes end in several', async () => {
    let now = 1_750_000_000_000
    const prefix = newPrefix()
    const adapter = adapterOn(client, { prefix, now: () => now })
    const store = storeFrom(adapter, { now: () => now, upkeepEveryMs: 0 })
    onTestFinished(() => store.close())
    const joined = await store.join('test')
    const ids = Array.from({ length: 300 }, (_, at) => `id ${at}`)
    const entries = [
      entry({ policy: { ...initial, limit: 300 } }),
      entry({ key: 'other', policy: { ...initial, limit: 300 } }),
    ]
    const takes = ids.map((id) => reserving(id, [1, 1]))
    expect(applied(await store.exchange(batch(joined, 1, { entries, takes }))).entries).toMatchObject([
      { reserved: 300 },
      {},
    ])
    await assertSums(client, prefix)
    now += 60_000
    const reserved: unknown[] = []
    for (let seq = 2; seq < 8; seq += 1) {
      const [row] = applied(await store.exchange(batch(joined, seq, { entries }))).entries
      reserved.push(row?.kind === 'budget' ? row.reserved : row)
    }
    expect(reserved).toEqual([250, 200, 150, 100, 50, undefined])
    await assertSums(client, prefix)
  })
})

type Case = readonly [what: string, content: Partial<Batch>, isSaved: boolean]

const cases: readonly Case[] = [
  ['nothing', {}, true],
  ['another reservation', { entries: [entry({ key: 'third' })], takes: [reserving('z', [1])] }, true],
  ['the end of the reservation', { changes: [settling('a', 1)] }, false],
  ['more time for it', { changes: [{ op: 'extend', key: 'other', id: 'a', units: 1, ttlMs: 100_000 }] }, false],
  ['the same id on another budget', { entries: [entry({ key: 'third' })], takes: [reserving('new', [1])] }, true],
  // That budget gives nothing, and so stays as it is.
  [
    'the same id on one of its budgets',
    { entries: [entry(), entry({ key: 'third' })], takes: [{ ...reserving('new', [1, 1]), first: true }] },
    false,
  ],
  ['a row that it gives back to', { entries: [entry({ key: 'other', mint: { id: 'm', units: 1 } })] }, false],
  ['a counter that it gives back to', { entries: [count('over', 1)] }, false],
]

describe.skipIf('reason' in server)('reservations on the general path of the Redis store', () => {
  it.each(cases)(
    'R1, R4: between load and save, %s: saved only if nothing that decides has changed',
    async (_what, content, isSaved) => {
      const prefix = newPrefix()
      const store = storeOn(client, { prefix })
      const [joined, other] = [await store.join('test'), await store.join('other')]
      const all = [
        entry({ policy: { ...initial, limit: 1 } }),
        entry({ key: 'other', policy: { ...initial, limit: 2 } }),
        count('over', 0),
      ]
      const first = { ...reserving('a', [4, 4, 4]), first: true as const }
      await store.exchange(batch(joined, 1, { entries: all, takes: [first] }))
      // The batch has no entry of the other budget and of the counter.
      const sent = batch(joined, 2, {
        entries: [entry()],
        takes: [reserving('new', [1])],
        changes: [settling('a', 0, 'other')],
      })
      const adapter = adapterOn(client, { prefix })
      await adapter.ready()
      const snapshot = await adapter.loadExchange(sent)
      const life = lifeAt(snapshot.life, snapshot.time, 10_000)
      const { writes, answer } = transition(snapshot.rows, sent, snapshot.time, life)
      expect(answer).toMatchObject({ granted: [1], credits: { changes: [{ kind: 'settled', settled: 0 }] } })
      applied(await store.exchange(batch(other, 1, content)))
      expect(writes === null ? writes : await snapshot.save(writes)).toBe(isSaved)
      await assertSums(client, prefix)
    },
  )
})

const OWNERS = 8
const IDS = 5
const LIMIT = 60

describe.skipIf('reason' in server)('contention', () => {
  it.each([true, false])(
    'R1, R4, I1, I2, L1: owners that reserve, admit, settle and refund the same ids at once hear one outcome each (fast path %s)',
    async (fastPath) => {
      const prefix = newPrefix()
      const handles = await Promise.all(
        Array.from({ length: OWNERS }, async (_, at): Promise<RedisClient> => {
          if (at % 2 === 0) return clientOn(url)
          const other = createClient({ url })
          await other.connect()
          onTestFinished(() => other.destroy())
          return other
        }),
      )
      const entries = ['seats', 'other'].map((key) => entry({ key, policy: { ...initial, limit: LIMIT } }))
      const outcomes = new Map<string, Set<string>>()
      const note = (what: string, outcome: object): void => {
        const known = outcomes.get(what) ?? new Set<string>()
        outcomes.set(what, known.add(JSON.stringify({ ...outcome, repeated: undefined })))
      }
      let repeats = 0
      let first = 0
      await Promise.all(
        handles.map(async (handle, at) => {
          const store = storeOn(handle, { prefix, fastPath, upkeepEveryMs: 0 })
          const joined = await store.join('test')
          const random = seededRandom(at)
          for (let seq = 1; seq <= IDS * rounds(2); seq += 1) {
            const id = `id ${Math.ceil(seq / 2)}`
            const isAdmission = Math.ceil(seq / 2) % 3 === 0
            const as = isAdmission ? 'admission' : 'reservation'
            const units = wholeBetween(random, 0, 3)
            const change = isAdmission
              ? ({ op: 'refund', key: 'other', id, units } as const)
              : settling(id, units, 'other')
            const content =
              seq % 2 === 1
                ? { entries, takes: [reserving(id, [1, 2], { as, ttlMs: 600_000 })] }
                : { entries, changes: [change] }
            const answer = applied(await certain(store, batch(joined, seq, content)))
            const [take, changed] = [answer.credits?.takes[0], answer.credits?.changes[0]]
            first += answer.granted[0] ?? 0
            if (take?.kind === 'remembered' && take.repeated) repeats += 1
            if (changed !== undefined) note(id, changed)
          }
        }),
      )
      expect(first).toBe(IDS * rounds(1))
      expect(repeats).toBe((OWNERS - 1) * first)
      for (const [id, answers] of outcomes) expect({ id, answers: answers.size }).toEqual({ id, answers: 1 })
      await assertSums(client, prefix)
      const { rows } = await storeOn(client, { prefix }).list({ limit: 9 })
      for (const { budget, leases } of rows) {
        const { minted, used, reserved, pool, burned } = budget
        expect({ minted, sum: used + reserved + pool + burned, leases }).toEqual({
          minted: LIMIT,
          sum: LIMIT,
          leases: [],
        })
      }
    },
  )
})
