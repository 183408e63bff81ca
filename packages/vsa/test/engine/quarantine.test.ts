import { describe, expect, test } from 'vitest'
import { bench, codeOf, damage, FLUSH_MS } from './fixture.ts'

const LEASED = { limit: 10_000, per: 'month', atRisk: 500 } as const

describe('a budget whose books do not balance', () => {
  test('S6: nothing more is sent of a quarantined budget, and calls on it fail', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit(4)
    damage(one, clock, 'seats')
    const minted = seats.mint(5, { id: 'a' }).catch((error: unknown) => error)
    const later = seats.mint(5, { id: 'b' }).catch((error: unknown) => error)
    await clock.settle()
    expect(await minted).toMatchObject({ code: 'quarantined' })
    expect(await later).toMatchObject({ code: 'quarantined' })
    const sent = one.batches.length
    seats.refund(2)
    await expect(seats.mint(5, { id: 'c' })).rejects.toMatchObject({ code: 'quarantined' })
    await clock.advance(5 * FLUSH_MS)
    expect(one.batches.length).toBe(sent)
    expect(one.events.filter((event) => event.type === 'quarantined')).toHaveLength(1)
    expect(one.vsa.stats().refundsRefused).toBe(2)
    await one.vsa.close()
  })

  test('S6 O6: an owner that keeps nothing but a quarantined budget has no timer, and flushes the others in time', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const [bad, good] = [one.vsa.budget('bad', { initial: 10 }), one.vsa.budget('good', { initial: 10, atRisk: 5 })]
    await bad.admit(4)
    damage(one, clock, 'bad')
    await expect(bad.admit()).rejects.toMatchObject({ code: 'quarantined' })
    await clock.advance(5 * FLUSH_MS)
    expect(clock.timers).toBe(0)
    await good.admit()
    expect(good.tryAdmit()).toBe(true)
    await clock.advance(FLUSH_MS)
    expect((await row('good')).used).toBe(2)
    await clock.advance(10 * FLUSH_MS)
    expect(clock.timers).toBe(0)
  })

  test('S6: mints and refunds of it are refused with an error or counted as refused', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit(4)
    damage(one, clock, 'seats')
    await expect(seats.admit()).rejects.toMatchObject({ code: 'quarantined' })
    await expect(seats.mint(5, { id: 'balcony' })).rejects.toMatchObject({ code: 'quarantined' })
    seats.refund(3)
    await clock.advance(FLUSH_MS)
    expect(one.vsa.stats().refundsRefused).toBe(3)
    expect(one.events).toContainEqual(expect.objectContaining({ type: 'refunds_refused', key: 'seats', units: 3 }))
  })

  test('S6: all requests that need it fail, alone or with other budgets; the other requests are served by the same batch', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const [bad, good, fine] = ['bad', 'good', 'fine'].map((key) => one.vsa.budget(key, { initial: 10 }))
    if (bad === undefined || good === undefined || fine === undefined) throw new Error('no budgets')
    await Promise.all([bad.admit(), good.admit(), fine.admit()])
    damage(one, clock, 'bad')
    const sent = one.batches.length
    const asked = Promise.all([
      good.admit(2),
      bad.admit(3).catch(codeOf),
      one.vsa
        .admitAll([
          [good, 1],
          [bad, 1],
        ])
        .catch(codeOf),
      one.vsa.admitAll([
        [good, 1],
        [fine, 4],
      ]),
    ])
    await clock.settle()
    expect(await asked).toEqual([true, 'quarantined', 'quarantined', true])
    expect([await row('bad'), await row('good'), await row('fine')]).toMatchObject([
      { used: 1 },
      { used: 4 },
      { used: 5 },
    ])
    const [whole, rest] = one.batches.slice(sent)
    expect(rest).toMatchObject({ epoch: whole?.epoch, seq: whole?.seq })
    expect(rest?.entries.filter(({ kind }) => kind === 'void')).toHaveLength(1)
    expect(rest?.entries).toHaveLength(whole?.entries.length ?? -1)
    const badAt = whole?.entries.findIndex((entry) => entry.kind === 'budget' && entry.key === 'bad')
    expect(rest?.takes.map(({ n }) => n)).toEqual(
      whole?.takes.map(({ need, n }) => (need.some(([at]) => at === badAt) ? 0 : n)),
    )
    expect(rest?.takes.map(({ n }) => n)).toContain(1)
    expect(one.batches).toHaveLength(sent + 2)
    await one.vsa.close()
  })

  test('S6: requests that wait behind the refused batch fail without another call, and each error names the budget', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const [good, bad] = [one.vsa.budget('good', { initial: 10 }), one.vsa.budget('bad', { initial: 10 })]
    await Promise.all([good.admit(), bad.admit()])
    damage(one, clock, 'bad')
    const exchange = one.net.exchange.bind(one.net)
    one.net.exchange = async (batch) => {
      await new Promise<void>((resolve) => void clock.timer(20, resolve))
      return exchange(batch)
    }
    const sent = one.batches.length
    const failure = (error: unknown): unknown => error
    const both: [typeof good, number][] = [
      [good, 1],
      [bad, 1],
    ]
    const first = [bad.admit(2).catch(failure), one.vsa.admitAll(both).catch(failure)]
    const other = good.admit(3)
    await clock.settle()
    const behind = [bad.admit(3).catch(failure), one.vsa.admitAll(both).catch(failure)]
    await clock.advance(FLUSH_MS)
    expect(await other).toBe(true)
    for (const error of await Promise.all([...first, ...behind]))
      expect(error).toMatchObject({ code: 'quarantined', message: expect.stringContaining('"bad"') as string })
    expect(one.batches.slice(sent)).toHaveLength(2)
    expect((await good.peek()).used).toBe(4)
  })

  test('S6: a counter whose row cannot be read fails its readers, and keeps what was added, also what was in flight', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const likes = one.vsa.counter('likes')
    one.net.exchange = async () => ({
      kind: 'breach',
      time: clock.now(),
      row: { key: 'likes', period: 0, isCounter: true },
      detail: 'planted',
    })
    likes.add(7)
    const read = likes.read().catch(codeOf)
    await clock.settle()
    likes.add(1)
    expect(await read).toBe('quarantined')
    await expect(likes.read()).rejects.toMatchObject({ code: 'quarantined' })
    expect(() => likes.add(Number.MAX_SAFE_INTEGER)).toThrow('"likes" has 8 to be sent already')
  })

  test('S6 V3: with a quarantined overage, a waterfall in flight or after it fails; what its budgets cover in memory, and all others, go on', async () => {
    const { clock, owner, row } = bench()
    const one = owner()
    const [plan, seats] = [one.vsa.budget('plan', { initial: 10, atRisk: 5 }), one.vsa.budget('seats', { initial: 10 })]
    const over = one.vsa.counter('over')
    const empty = one.vsa.budget('empty', { initial: 1, atRisk: 1 })
    await Promise.all([plan.admit(), seats.admit(), empty.admit()])
    expect(await empty.admit()).toBe(false)
    const exchange = one.net.exchange.bind(one.net)
    one.net.exchange = async (batch) =>
      batch.entries.some((entry) => entry.kind === 'counter' && entry.key === 'over')
        ? {
            kind: 'breach',
            time: clock.now(),
            row: { key: 'over', period: 0, isCounter: true },
            detail: 'planted',
          }
        : exchange(batch)
    const failure = (error: unknown): unknown => error
    const quarantined = { code: 'quarantined', message: expect.stringContaining('"over"') as string }
    const first = one.vsa.admitFirst([plan, over], 20, { durable: true }).catch(failure)
    const other = seats.admit(3)
    await clock.advance(FLUSH_MS)
    expect(await first).toMatchObject(quarantined)
    expect(await other).toBe(true)
    const sent = one.batches.length
    for (const durable of [true, false])
      expect(await one.vsa.admitFirst([plan, over], 20, { durable }).catch(failure)).toMatchObject(quarantined)
    expect(one.batches.length).toBe(sent)
    // From memory it would go over into a counter that is never sent.
    expect(await one.vsa.admitFirst([empty, over], 5, { durable: false }).catch(failure)).toMatchObject(quarantined)
    expect(await plan.admit(2)).toBe(true)
    expect(await one.vsa.admitFirst([plan, over], 2, { durable: false })).toBe(true)
    await clock.advance(2 * FLUSH_MS)
    expect([await row('plan'), await row('seats')]).toMatchObject([{ used: 5 }, { used: 4 }])
    expect(one.events.filter(({ type }) => type === 'quarantined')).toHaveLength(1)
  })

  test('S6: a refusal that names another period, or a row that is not in the batch, quarantines nothing', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    const exchange = one.net.exchange.bind(one.net)
    const names = [{ key: 'seats', period: 60_000 }, { key: 'else', period: 0 }, undefined]
    one.net.exchange = async (batch) => {
      if (names.length === 0) return exchange(batch)
      const row = names.shift()
      return { kind: 'breach', time: clock.now(), detail: 'planted', ...(row === undefined ? {} : { row }) }
    }
    const asked = seats.admit(2)
    await clock.advance(1_000)
    expect(await asked).toBe(true)
    expect(one.events.map(({ type }) => type)).toEqual([
      'joined',
      'store_away',
      'store_back',
      'store_away',
      'store_back',
      'store_away',
      'store_back',
    ])
  })

  test('S6: one budget whose books are damaged is quarantined; the thousand others go on', async () => {
    const { clock, owner, books } = bench()
    const { vsa, net, events } = owner()
    const calls = vsa.budgets('calls', LEASED)
    await Promise.all(Array.from({ length: 900 }, (_, id) => calls.of(String(id)).admit()))
    const exchange = net.exchange.bind(net)
    net.exchange = async (batch) => {
      const bad = batch.entries.find((entry) => entry.kind === 'budget' && entry.key === 'calls:7')
      if (bad === undefined) return exchange(batch)
      return {
        kind: 'breach',
        time: clock.now(),
        row: { key: 'calls:7', period: (bad as { period: number }).period },
        detail: 'planted',
      }
    }
    for (let id = 0; id < 900; id += 1) expect(calls.of(String(id)).tryAdmit()).toBe(true)
    await clock.advance(FLUSH_MS)
    expect(events).toContainEqual({ type: 'quarantined', key: 'calls:7', detail: 'planted' })
    await expect(calls.of('7').admit()).rejects.toMatchObject({ code: 'quarantined' })
    expect(calls.of('7').tryAdmit()).toBe(false)
    const { rows } = await books.list({ limit: 1_000 })
    expect(rows.filter((row) => row.budget.used === 2)).toHaveLength(899)
    await vsa.close()
  })
})
