import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DURABLE, redisServer, type RedisServer } from '../../../../servers/src/redis.ts'
import type { AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { ChangeOutcome, ReservationChange } from '../../src/core/reservations/messages.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { seededRandom, wholeBetween } from '../../src/testing/random.ts'
import { rounds } from '../rounds.ts'
import { reserving, settling } from './redis-credits-fixture.ts'
import { assertSums, certain, clientOn, newPrefix, storeOn } from './redis-fixture.ts'
import { batch, count, entry, fault, initial } from './sqlite-fixture.ts'

/** A server for one test; the test is skipped where there is none. */
async function serverFor(skip: (reason: string) => void, options: readonly string[] = DURABLE): Promise<RedisServer> {
  const server = await redisServer(options)
  if ('reason' in server) return skip(server.reason) as never
  onTestFinished(() => server.stop())
  return server
}

const policy = { ...initial, limit: 1_000_000_000 }
const entries = [entry({ policy }), entry({ key: 'other', policy }), count('calls', 1)]
const TTL_MS = 86_400_000
const CRASHES = 5 * rounds(1)
const UNITS = 5

/** An owner whose batches are sent until their outcome is certain. */
class Owner {
  readonly #store: Store
  readonly #joined: Joined
  #seq = 0

  constructor(store: Store, joined: Joined) {
    this.#store = store
    this.#joined = joined
  }

  /** One that was applied before is answered from what was kept. */
  async send(content: Partial<Batch>): Promise<AppliedAnswer> {
    const answer = await certain(this.#store, batch(this.#joined, (this.#seq += 1), content))
    if (answer.kind !== 'applied' && answer.kind !== 'replayed') throw new Error(JSON.stringify(answer))
    return answer
  }

  async reserve(id: string, as: 'reservation' | 'admission'): Promise<AppliedAnswer> {
    return this.send({ entries, takes: [reserving(id, [UNITS, UNITS], { ttlMs: TTL_MS, as })] })
  }

  async change(...changes: readonly ReservationChange[]): Promise<readonly ChangeOutcome[]> {
    return (await this.send({ changes })).credits?.changes ?? []
  }
}

async function ownerOn({ url }: RedisServer, prefix: string, commandTimeout?: number): Promise<Owner> {
  const client = clientOn(url, commandTimeout === undefined ? {} : { commandTimeout })
  const store = storeOn(client, { prefix, strict: true, leaseTtlMs: 600_000 })
  return new Owner(store, await store.join('test'))
}

describe('a server that is killed and started again', () => {
  it('R1, R4, I1, I2: with appendfsync always every reservation that was answered is there to be settled, once', async ({
    skip,
  }) => {
    const server = await serverFor(skip)
    const prefix = newPrefix()
    const [one, other] = [await ownerOn(server, prefix), await ownerOn(server, prefix)]
    const random = seededRandom(1)
    let [made, used] = [0, 0]
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const until = made + wholeBetween(random, 5, 60)
      let restarted: Promise<void> | undefined
      while (restarted === undefined || made < until + 10) {
        const id = `id ${(made += 1)}`
        const as = made % 4 === 0 ? 'admission' : 'reservation'
        // The crash comes while the reservation, or while the settlement, is on its way.
        if (made === until && crash % 2 === 0) restarted = server.restart('SIGKILL')
        const { granted } = await one.reserve(id, as)
        expect({ id, granted }).toEqual({ id, granted: [1] })
        if (made === until && crash % 2 === 1) restarted = server.restart('SIGKILL')
        const actual = wholeBetween(random, 0, UNITS)
        const back = { op: 'refund', key: 'seats', id, units: UNITS - actual } as const
        const first = as === 'admission' ? back : settling(id, actual)
        const [outcome] = await one.change(first, settling(id, 0, 'other'))
        expect({ id, outcome }).toMatchObject({
          id,
          outcome:
            as === 'admission' ? { kind: 'refunded', units: UNITS - actual } : { kind: 'settled', settled: actual },
        })
        used += actual
        // Any owner hears the same outcome later on.
        const again = await other.change(as === 'admission' ? { ...back, units: 1 } : settling(id, UNITS))
        expect(again).toMatchObject([{ kind: outcome?.kind, repeated: true }])
      }
      await restarted
    }
    const client = clientOn(server.url)
    await assertSums(client, prefix)
    const { rows } = await storeOn(client, { prefix }).list({ limit: 9 })
    const admitted = UNITS * Math.floor(made / 4)
    expect(rows.map(({ budget }) => [budget.key, budget.used, budget.reserved])).toEqual([
      ['other', admitted, 0],
      ['seats', used, 0],
    ])
  })

  it('R1, R4: while it stands still nothing is answered, and each batch counts once when it goes on', async ({
    skip,
  }) => {
    const server = await serverFor(skip)
    const prefix = newPrefix()
    const owner = await ownerOn(server, prefix, 300)
    await owner.reserve('a', 'reservation')
    for (const work of [() => owner.reserve('b', 'reservation'), () => owner.change(settling('a', 2))]) {
      const paused = await server.pause?.()
      const working = work()
      const client = clientOn(server.url, { commandTimeout: 700 })
      await expect(client.ping()).rejects.toThrow(/timed out/)
      paused?.resume()
      await working
    }
    expect(await owner.change(settling('a', 5), settling('b', 1))).toMatchObject([
      { settled: 2, repeated: true },
      { settled: 1, repeated: false },
    ])
    const client = clientOn(server.url)
    await assertSums(client, prefix)
    expect(await storeOn(client, { prefix }).read([{ key: 'seats', period: 0 }])).toMatchObject([
      { used: 3, reserved: 0 },
    ])
  })
})

describe('a store that forgot a reservation', () => {
  it('F3, F5, L1: its id is unknown; its units, once told, burn and are not admitted again', async ({ skip }) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const server = await serverFor(skip, ['--appendonly', 'no'])
    const prefix = newPrefix()
    const leaseTtlMs = 400
    const client = clientOn(server.url, { maxRetriesPerRequest: 20 })
    const store = storeOn(client, { prefix, leaseTtlMs })
    const small = { ...initial, limit: 10 }
    const content = { entries: [entry({ policy: small })] }
    const before = new Owner(store, await store.join('test'))
    await before.send({ ...content, takes: [reserving('kept', [2], { ttlMs: TTL_MS })] })
    await client.save()
    const lost = await before.send({
      ...content,
      takes: [reserving('lost', [3], { ttlMs: TTL_MS })],
      changes: [settling('kept', 1)],
    })
    expect(lost.entries).toMatchObject([{ used: 1, reserved: 3, pool: 6 }])
    await server.restart('SIGKILL')
    const joined = await certainJoin(store)
    const after = new Owner(store, joined)
    // F5: this owner was answered that 4 units were not in the pool.
    const frozen = await after.send({
      entries: [entry({ policy: small, gone: 4 })],
      takes: [reserving('new', [1], { ttlMs: TTL_MS })],
      changes: [settling('lost', 1), settling('kept', 2)],
    })
    expect(frozen.granted).toEqual([0])
    expect(frozen.credits?.changes).toMatchObject([
      { kind: 'unknown' },
      { kind: 'settled', settled: 2, repeated: false },
    ])
    expect(frozen.entries).toMatchObject([{ used: 2, burned: 2, pool: 6 }])
    let answer = frozen
    while (answer.frozenUntil > 0) answer = await after.send(content)
    const rest = await after.send({
      ...content,
      takes: [reserving('lost', [7], { ttlMs: TTL_MS }), reserving('again', [6], { ttlMs: TTL_MS })],
    })
    expect(rest.granted).toEqual([0, 1])
    expect(rest.entries).toMatchObject([{ minted: 10, used: 2, burned: 2, reserved: 6, pool: 0 }])
    await assertSums(client, prefix)
  })
})

/** After a restart the first call may find no connection. */
async function certainJoin(store: Store): Promise<Joined> {
  for (;;) {
    try {
      return await store.join('test')
    } catch (error) {
      expect(error).toMatchObject(fault('store_lost', { transient: true, applied: expect.any(String) as never }))
    }
  }
}
