import { describe, expect, test } from 'vitest'
import { bench, type Bench, type Owner } from './fixture.ts'

/* O5, S9: what travelled in the last batch of an epoch, for each fate of that batch. */

const COUNTER_MAX = Number.MAX_SAFE_INTEGER
const LEASED = { limit: 100, per: 'month', atRisk: 60 } as const

interface Scene extends Bench {
  readonly one: Owner
  /** The epoch of `one` ends, and the batch that was sent last had this fate. Ends when `one` goes on under a new epoch. */
  endEpoch(): Promise<void>
}

type Fate = 'applied' | 'not applied' | 'unknown'

/** @param fate of the next batch */
async function scene(fate: Fate, options: Parameters<Bench['owner']>[0] = {}): Promise<Scene> {
  const world = bench({ leaseTtlMs: 500 })
  const [one, other] = [world.owner({ exchangeTimeoutMs: 900, ...options }), world.owner()]
  // Only the epoch of an owner that holds something is reaped.
  await one.vsa.budget('held', LEASED).admit()
  const endEpoch = async (): Promise<void> => {
    await world.clock.advance(700)
    world.reap(one)
    await other.vsa.budget('x', { initial: 1_000 }).admit()
    if (fate === 'unknown') forget(one, () => world.clock.now())
    await world.clock.advance(3_000)
    expect(one.events.map(({ type }) => type)).toContain('fenced')
  }
  return { ...world, one, endEpoch }
}

function lose({ one }: Scene, fate: Fate): void {
  one.net.inject('exchange', { kind: fate === 'applied' ? 'lost_answer' : 'lost_request' })
}

/** The store has forgotten the epoch: it answers `fenced`, without the last batch; or `lost`, which tells nothing of the epoch. */
function forget({ net }: Owner, time: () => number, kind: 'fenced' | 'lost' = 'fenced'): void {
  const exchange = net.exchange.bind(net)
  net.exchange = async ({ entries }) => {
    net.exchange = exchange
    if (kind === 'lost') return { kind, time: time() }
    return { kind, time: time(), last: null, forgot: true, gone: entries.map(() => null) }
  }
}

describe.each<Fate>(['applied', 'not applied', 'unknown'])('a batch that was %s when its epoch ended', (fate) => {
  test('L3 O5: a mint is minted once, and its caller learns whether this call minted it', async () => {
    const world = await scene(fate)
    const seats = world.one.vsa.budget('seats', { initial: 0 })
    await seats.admit()
    lose(world, fate)
    const minted = seats.mint(5, { id: 'balcony' })
    await world.endEpoch()
    expect(await minted).toBe(true)
    expect(await world.row('seats')).toMatchObject({ minted: 5, pool: 5 })
  })

  test('L3 O5: a mint that was repeated is told as such', async () => {
    const world = await scene(fate)
    const seats = world.one.vsa.budget('seats', { initial: 0 })
    await seats.mint(5, { id: 'balcony' })
    lose(world, fate)
    const repeated = seats.mint(5, { id: 'balcony' })
    await world.endEpoch()
    expect(await repeated).toBe(false)
    expect(await world.row('seats')).toMatchObject({ minted: 5, pool: 5 })
  })

  test('O5: additions to a counter are lost only where they may have been applied, and are never added twice', async () => {
    const world = await scene(fate)
    const { vsa, events } = world.one
    lose(world, fate)
    vsa.counter('likes').add(7)
    await world.clock.advance(100)
    await world.endEpoch()
    // The addition is sent again by itself: no read makes it.
    const stored = vsa.stats().records
    expect(await vsa.counter('likes').read()).toBe(fate === 'unknown' ? 0 : 7)
    expect(vsa.stats().records).toBe(stored)
    const told = events.filter(({ type }) => type === 'additions_lost')
    expect(told).toEqual(fate === 'unknown' ? [{ type: 'additions_lost', key: 'likes', sum: 7 }] : [])
  })

  test('O5: a reader of a counter is answered by the next epoch', async () => {
    const world = await scene(fate)
    const likes = world.one.vsa.counter('likes')
    likes.add(1)
    await world.clock.advance(200)
    lose(world, fate)
    const read = likes.read()
    await world.endEpoch()
    expect(await read).toBe(1)
  })

  test('L3 O5 O9: a durable request that spent from the lease gets the outcome of its batch', async () => {
    const world = await scene(fate)
    const calls = world.one.vsa.budget('calls', LEASED)
    await calls.admit(2)
    await world.clock.advance(150)
    lose(world, fate)
    const asked = calls.admit(3, { durable: true }).catch((error: unknown) => error)
    await world.endEpoch()
    if (fate === 'unknown') expect(await asked).toMatchObject({ code: 'store_unavailable', applied: 'unknown' })
    else expect(await asked).toBe(true)
    await world.one.vsa.close()
    const { used, burned } = await world.row('calls')
    // Where it is not known, what it had spent is in the lease that burned.
    expect(used).toBe(fate === 'unknown' ? 2 : 5)
    expect(burned).toBeGreaterThan(0)
  })

  test('G3: a row whose takes were fenced is idle again, and its budget can leave memory', async () => {
    const world = await scene(fate, { budgetsMax: 1 })
    const families = world.one.vsa.budgets('seats', { initial: 10 })
    await families.of('a').admit()
    lose(world, fate)
    const asked = families
      .of('a')
      .admit(2)
      .catch(() => undefined)
    await world.endEpoch()
    await asked
    for (const id of ['b', 'c', 'd', 'e']) await families.of(id).admit()
    await world.clock.advance(1_000)
    expect(world.one.vsa.stats().budgets).toBe(1)
  })
})

describe('refunds, and what was not asked for', () => {
  test('O4 O5: a refund that was applied is not sent again, and not counted as refused', async () => {
    const world = await scene('applied')
    const seats = world.one.vsa.budget('seats', { initial: 10 })
    await seats.admit(8)
    lose(world, 'applied')
    seats.refund(3)
    await world.clock.advance(100)
    await world.endEpoch()
    await world.clock.advance(2_000)
    expect(world.one.vsa.stats()).toMatchObject({ refundedUnits: 3, refundsRefused: 0 })
    expect(world.one.events.map(({ type }) => type)).not.toContain('refunds_refused')
    expect(await world.row('seats')).toMatchObject({ used: 5, pool: 5 })
  })

  test('L7 O5: the next epoch asks for nothing that has not changed', async () => {
    const world = await scene('not applied')
    const { vsa, batches } = world.one
    for (const key of ['a', 'b', 'c']) await vsa.budget(key, { initial: 10 }).admit()
    lose(world, 'not applied')
    const asked = vsa.budget('d', { initial: 10 }).admit()
    await world.endEpoch()
    expect(await asked).toBe(true)
    const after = batches.filter(({ epoch }) => epoch === vsa.stats().epoch).flatMap(({ entries }) => entries)
    expect(new Set(after.map((entry) => (entry.kind === 'void' ? '' : entry.key)))).toEqual(new Set(['d']))
  })

  test.each(['fenced', 'lost'] as const)(
    'O5: a take fails as unknown when the store answers %s and has nothing of its batch',
    async (kind) => {
      const { clock, owner, row } = bench()
      const one = owner()
      const seats = one.vsa.budget('seats', { initial: 10 })
      await seats.admit()
      forget(one, () => clock.now(), kind)
      await expect(seats.admit(2)).rejects.toMatchObject({ code: 'store_unavailable', applied: 'unknown' })
      expect(await seats.admit(3)).toBe(true)
      expect(await row('seats')).toMatchObject({ used: 4 })
    },
  )

  test('O5 O10: a request that had its verdict before is not counted again', async () => {
    const world = await scene('unknown', { onStoreUnavailable: 'allow', deadlineMs: 300 })
    const seats = world.one.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    lose(world, 'unknown')
    const asked = seats.admit(2)
    await world.endEpoch()
    expect(await asked).toBe(true)
    expect(world.one.vsa.stats()).toMatchObject({ unaccountedUnits: 2, admittedUnits: 2, waiters: 0 })
  })
})

test('O5: additions that had been applied when the store forgot their epoch are not added again', async () => {
  const world = await scene('unknown')
  lose(world, 'applied')
  world.one.vsa.counter('likes').add(7)
  await world.clock.advance(100)
  await world.endEpoch()
  expect(await world.one.vsa.counter('likes').read()).toBe(7)
})

describe('the overflow of a counter', () => {
  test('S6 O5: it is reported, and what did not fit stays in memory, also when the epoch has ended', async () => {
    const world = await scene('applied')
    const likes = world.one.vsa.counter('likes')
    likes.add(COUNTER_MAX)
    await world.clock.advance(200)
    lose(world, 'applied')
    likes.add(5)
    await world.clock.advance(100)
    await world.endEpoch()
    expect(world.one.events).toContainEqual({ type: 'counter_overflow', key: 'likes', pending: 5 })
  })
})

describe('a closing batch that was applied, and whose answer was lost', () => {
  /** The batch that closes the epoch carries what `before` leaves behind. */
  async function closed(before: (one: Owner) => unknown): Promise<Owner & Bench> {
    const world = bench()
    const one = world.owner()
    await one.vsa.budget('calls', LEASED).admit(7)
    one.vsa.counter('likes').add(COUNTER_MAX)
    await world.clock.advance(200)
    one.net.inject('exchange', { kind: 'lost_answer' })
    before(one)
    const closing = one.vsa.close()
    await world.clock.advance(5_000)
    await closing
    return { ...world, ...one }
  }

  test('S9 L7: what it wrote is counted, as if the answer had come', async () => {
    const lost = await closed(({ vsa }) => vsa.counter('views').add(3))
    const heard = bench()
    const { vsa } = heard.owner()
    await vsa.budget('calls', LEASED).admit(7)
    vsa.counter('likes').add(COUNTER_MAX)
    await heard.clock.advance(200)
    vsa.counter('views').add(3)
    await vsa.close()
    const { records, leaseRecords } = vsa.stats()
    expect(lost.vsa.stats()).toMatchObject({ records, leaseRecords, leasedUnits: 0 })
  })

  test('S9: a flush that waits for it resolves', async () => {
    let flushed: Promise<unknown> = Promise.resolve()
    await closed(({ vsa }) => {
      vsa.budget('calls', LEASED).tryAdmit(2)
      flushed = vsa.flush().then(() => 'durable')
    })
    expect(await flushed).toBe('durable')
  })

  test('S6 S9: the overflow of a counter is reported', async () => {
    const { events } = await closed(({ vsa }) => vsa.counter('likes').add(5))
    expect(events).toContainEqual({ type: 'counter_overflow', key: 'likes', pending: 5 })
  })

  test('S9: a counter that did not overflow is not reported as one', async () => {
    const { events } = await closed(({ vsa }) => vsa.counter('views').add(5))
    expect(events.map(({ type }) => type)).not.toContain('counter_overflow')
  })
})
