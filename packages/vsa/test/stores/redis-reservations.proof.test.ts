import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { adaptedStore } from '../../src/core/adapted-store.ts'
import type { Batch, BudgetEntry, Take } from '../../src/core/exchange.ts'
import type { Remember, ReservationChange } from '../../src/core/reservations/messages.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { seededRandom, wholeBetween, type Random } from '../../src/testing/random.ts'
import { rounds } from '../rounds.ts'
import { adapterOn, assertSums, newClient, newPrefix } from './redis-fixture.ts'
import { batch, count, entry } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const client = newClient('url' in server ? server.url : '', { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

const STEPS = 150
const START = 1_750_000_000_000
const HOUR_MS = 3_600_000

/** One of 3 budgets with windows, of the period now or the next one, or one without windows. Limits and versions differ, so that P2 decides. */
function budgetOf(random: Random, at: number, now: number): BudgetEntry {
  const period = now - (now % HOUR_MS) + (wholeBetween(random, 0, 5) === 0 ? HOUR_MS : 0)
  const version = wholeBetween(random, 1, 3)
  const rest = { hold: wholeBetween(random, 0, 3), ...(wholeBetween(random, 0, 19) === 0 && { reset: true as const }) }
  if (at === 3) return entry({ key: 'seats', ...rest })
  const policy = { kind: 'window', limit: 10 + 5 * version, burnMax: 5, version } as const
  const times = { endsAt: period + HOUR_MS, keepUntil: period + 1.5 * HOUR_MS }
  return entry({ key: `key ${at}`, period, policy: { ...policy, ...times }, ...rest })
}

function rememberOf(random: Random): Remember {
  const as = wholeBetween(random, 0, 2) === 0 ? 'admission' : 'reservation'
  const onExpire = wholeBetween(random, 0, 1) === 0 ? 'return' : 'capture'
  return { id: `id ${wholeBetween(random, 1, 6)}`, as, ttlMs: wholeBetween(random, 1, 20) * 60_000, onExpire }
}

function changeOf(random: Random): ReservationChange {
  const at = wholeBetween(random, 0, 3)
  const name = { key: at === 3 ? 'seats' : `key ${at}`, id: `id ${wholeBetween(random, 1, 6)}` }
  const units = wholeBetween(random, 0, 6)
  const op = (['settle', 'extend', 'refund'] as const)[wholeBetween(random, 0, 2)] ?? 'settle'
  return op === 'extend' ? { op, ...name, units, ttlMs: 600_000 } : { op, ...name, units }
}

/** Half of them plain. Budgets, a counter, and takes of every form; or changes of any reservation, whose rows the batch may not name. */
function contentOf(random: Random, now: number): Partial<Batch> {
  const budgets = [0, 1, 2, 3].filter(() => wholeBetween(random, 0, 1) === 0).map((at) => budgetOf(random, at, now))
  const entries = [...budgets, count('over', 0)]
  if (wholeBetween(random, 0, 1) === 0) return { entries }
  const cost = wholeBetween(random, 1, 4)
  const first = wholeBetween(random, 0, 1) === 0
  const withCounter = first && budgets.length > 0 && wholeBetween(random, 0, 3) === 0
  const need = entries.slice(0, withCounter ? undefined : -1).map((_entry, at) => [at, cost] as const)
  const remember = wholeBetween(random, 0, 3) > 0 ? rememberOf(random) : undefined
  const isCounterTaken = withCounter || remember !== undefined || first
  const take: Take = { need, n: remember === undefined ? 2 : 1, ...(first && { first }), ...(remember && { remember }) }
  const changes = Array.from({ length: wholeBetween(random, 0, 2) }, () => changeOf(random))
  return { entries, takes: need.length > 0 && isCounterTaken ? [take] : [], changes }
}

interface Pair {
  readonly stores: readonly [redis: Store, memory: Store]
  readonly prefix: string
  now(): number
  pass(ms: number): void
}

function pair(fastPath: boolean): Pair {
  let now = START
  const prefix = newPrefix()
  const adapter = adapterOn(client, { prefix, fastPath, now: () => now })
  let tokens = 0
  const own = adaptedStore(adapter, { now: () => now, upkeepEveryMs: 0 }, () => `token ${(tokens += 1)}`)
  onTestFinished(() => own.close())
  return {
    stores: [own, memory({ now: () => now, upkeepEveryMs: 0 })],
    prefix,
    now: () => now,
    pass: (ms) => void (now += ms),
  }
}

async function rowsOf(store: Store): Promise<unknown> {
  const { rows } = await store.list({ limit: 100 })
  return rows.map(({ budget, leases }) => ({ budget, leases: leases.toSorted((a, b) => a.epoch - b.epoch) }))
}

/** What is the choice of a store is left out. */
function comparable(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer, (name, value: unknown) => (name === 'wanted' ? undefined : value)))
}

describe.skipIf('reason' in server)('reservations in Redis', () => {
  it.each(Array.from({ length: 2 * rounds(1) }, (_, at) => [at % 2 === 0, at] as const))(
    'R1 to R6, I1, I2, V1, P2, P5: answers and rows are those of the memory store (fast path %s, seed %i)',
    async (fastPath, seed) => {
      const { stores, prefix, now, pass } = pair(fastPath)
      const random = seededRandom(seed)
      const owners: Joined[][] = []
      for (const _ of [1, 2]) owners.push(await Promise.all(stores.map((store) => store.join('test'))))
      const seqs = [0, 0]
      for (let step = 0; step < STEPS; step += 1) {
        const who = wholeBetween(random, 0, 1)
        const content = contentOf(random, now())
        const seq = (seqs[who] = (seqs[who] ?? 0) + 1)
        const answers = await Promise.all(
          stores.map(async (store, at) => {
            const joined = owners[who]?.[at]
            if (joined === undefined) throw new Error('unreachable')
            return comparable(await store.exchange(batch(joined, seq, content)))
          }),
        )
        expect(answers[0], JSON.stringify(content)).toEqual(answers[1])
        const [own, expected] = await Promise.all(stores.map(rowsOf))
        expect(own).toEqual(expected)
        pass(wholeBetween(random, 0, 5) === 0 ? wholeBetween(random, 60_000, 600_000) : 1_000)
        if (wholeBetween(random, 0, 40) === 0)
          for (const group of owners.keys()) {
            pass(group * 1_000)
            owners[group] = await Promise.all(stores.map((store) => store.join('test')))
            seqs[group] = 0
          }
      }
      await assertSums(client, prefix)
    },
  )
})
