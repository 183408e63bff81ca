import { afterAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { AppliedAnswer, Batch, BudgetEntry, Take } from '../../src/core/exchange.ts'
import type { ReservationChange } from '../../src/core/reservations/messages.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { type Random, seededRandom, wholeBetween } from '../../src/testing/random.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { rounds } from '../rounds.ts'
import { dropSchemas, newPool, newSchema, reservedBy, storeOn } from './postgres-fixture.ts'
import { batch, entry, initial } from './sqlite-fixture.ts'

const OWNERS = 8
const BATCHES = 40 * rounds(1)
const LIMIT = 1_000_000
/** The first one is not deleted. */
const KEYS = ['kept', 'a', 'b']

// One of its own, whose statistics are of this test.
const server = await postgresServer({})
const pool = newPool('url' in server ? server.url : '', { max: OWNERS + 4 })

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

/** Until it is certain, as an engine does (O2). */
async function certain<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof StoreError) || !error.transient) throw error
    }
  }
}

/** An owner that never spends more than it was last answered that it holds. */
class Owner {
  /** Of `kept`, as this owner was answered. */
  used = 0
  heard = 0
  readonly #held = new Map<string, number>()
  readonly #store: Store
  readonly #joined: Joined
  readonly #random: Random
  readonly #ids: string[] = []
  #seq = 0

  constructor(store: Store, joined: Joined, seed: number) {
    this.#store = store
    this.#joined = joined
    this.#random = seededRandom(seed)
  }

  async works(): Promise<void> {
    for (let at = 0; at < BATCHES; at += 1) await this.#exchange(this.#draw(at))
  }

  async givesBack(): Promise<void> {
    const keys = [...this.#held.keys()]
    if (keys.length > 0) await this.#exchange({ entries: keys.map((key) => entry({ key, known: true })) })
  }

  /** Of keys in an order of its own: the store sorts them. */
  #draw(at: number): Partial<Batch> {
    const random = this.#random
    const keys = KEYS.toSorted(() => random() - 0.5).slice(0, wholeBetween(random, 1, KEYS.length))
    const entries = keys.map((key) => this.#entry(key))
    const takes: Take[] = random() < 0.4 ? [{ need: [[0, 1]], n: wholeBetween(random, 1, 3) }] : []
    if (entries.length > 1 && random() < 0.4) {
      const id = `${this.#joined.epoch} ${at}`
      const remember = { id, as: 'reservation', ttlMs: 3_600_000, onExpire: 'return' } as const
      const need = entries.map((_, index) => [index, 5] as const)
      takes.push({ need, n: 1, remember })
      this.#ids.push(`${keys.includes('kept') ? 'kept' : keys[0]}/${id}`)
    }
    const [key, id] = random() < 0.4 ? (this.#ids.shift()?.split('/') ?? []) : []
    if (key === undefined || id === undefined) return { entries, takes }
    const settle: ReservationChange = { op: 'settle', key, id, units: wholeBetween(random, 0, 5) }
    return { entries, takes, changes: [settle] }
  }

  #entry(key: string): BudgetEntry {
    const held = this.#held.get(key)
    const spent = wholeBetween(this.#random, 0, held ?? 0)
    const hold = wholeBetween(this.#random, 0, 9)
    return entry({ key, known: held !== undefined, policy: { ...initial, limit: LIMIT, burnMax: LIMIT }, spent, hold })
  }

  async #exchange(content: Partial<Batch>): Promise<void> {
    const sent = batch(this.#joined, (this.#seq += 1), content)
    const answer = await certain(() => this.#store.exchange(sent))
    if (answer.kind !== 'applied' && answer.kind !== 'replayed') throw new Error(JSON.stringify([sent, answer]))
    for (const [index, { key, spent }] of (sent.entries as BudgetEntry[]).entries()) {
      const told = answer.entries[index]
      if (told?.kind === 'budget') {
        this.#held.set(key, told.held)
        if (key === 'kept') this.used += spent + this.#granted(index, sent, answer)
      } else {
        if (told?.kind !== 'deleted' || key === 'kept') throw new Error(JSON.stringify([sent, answer]))
        this.#held.delete(key)
        this.heard += 1
      }
    }
    const [change] = answer.credits?.changes ?? []
    if (change?.kind === 'settled' && sent.changes?.[0]?.key === 'kept') this.used += change.settled
  }

  /** Of plain takes: what is reserved counts when it is settled. */
  #granted(index: number, { takes }: Batch, { granted }: AppliedAnswer): number {
    return takes.reduce(
      (sum, { need, remember }, run) =>
        sum + (remember === undefined && need[0]?.[0] === index ? (granted[run] ?? 0) : 0),
      0,
    )
  }
}

async function deletes(store: Store, key: string, isOver: () => boolean): Promise<number> {
  let deletions = 0
  while (!isOver()) if ((await certain(async () => store.delete?.(key))) === true) deletions += 1
  return deletions
}

describe.skipIf('reason' in server)('deletions beside owners on Postgres', () => {
  it.each([true, false])(
    'P6, L1, L2, R2: every owner hears, no lock is a circle, and the books of the key that stays are those of its owners (fast path: %s)',
    async (fastPath) => {
      const schema = newSchema()
      const owners = await Promise.all(
        Array.from({ length: OWNERS }, async (_, number) => {
          const store = storeOn(pool, { schema, fastPath, upkeepEveryMs: 5 })
          return new Owner(store, await store.join('test'), number)
        }),
      )
      const store = storeOn(pool, { schema })
      let isOver = false
      const deleting = Promise.all(['a', 'b', 'a'].map((key) => deletes(store, key, () => isOver)))
      try {
        await Promise.all(owners.map((owner) => owner.works()))
      } finally {
        isOver = true
      }
      const deletions = await deleting
      await Promise.all(owners.map((owner) => owner.givesBack()))
      const heard = owners.reduce((sum, owner) => sum + owner.heard, 0)
      expect([deletions.every((count) => count > 5), heard > OWNERS]).toEqual([true, true])
      const [kept] = await store.read([{ key: 'kept', period: 0 }])
      expect(kept).toMatchObject({ minted: LIMIT, used: owners.reduce((sum, owner) => sum + owner.used, 0), burned: 0 })
      const { rows: wrong } = await pool.query(`
        select b.key, b.leased, l.held, b.reserved, r.charged from ${schema}.budget b
        left join (select key, period, sum(held) held, count(*) owners from ${schema}.lease group by 1, 2) l using (key, period)
        full join (${reservedBy(schema)}) r using (key, period)
        where b.key is null or b.kind = 's' or b.leased <> coalesce(l.held, 0) or b.reserved <> coalesce(r.charged, 0)`)
      expect(wrong).toEqual([])
      const { rows: left } = await pool.query(`select (select count(*)::int from ${schema}.lease) leases,
        (select count(*)::int from ${schema}.deleted_lease) marks, (select deadlocks::int from pg_stat_database where datname = current_database()) deadlocks`)
      expect(left).toEqual([{ leases: 0, marks: 0, deadlocks: 0 }])
    },
  )
})
