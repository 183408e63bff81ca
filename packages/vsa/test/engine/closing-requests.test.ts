import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/core/store.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

const LEASED = { limit: 1_000, per: 'month', atRisk: 60 } as const

describe('closing with requests and refunds in flight', () => {
  test('L3 O10: a grant after the deadline is refunded, also when the engine closes meanwhile', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    const asked = seats.admit(5, { deadlineMs: 50 }).catch((error: unknown) => error)
    const closing = vsa.close()
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 200 })
    await clock.advance(3_000)
    expect(await asked).toMatchObject({ code: 'timeout', applied: 'unknown' })
    await closing
    expect(await row('seats')).toMatchObject({ used: 1, pool: 9 })
  })

  test('L3 O10: a durable request spent from a lease and confirmed after its deadline is refunded while closing', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit()
    const asked = budget.admit(5, { durable: true, deadlineMs: 50 }).catch((error: unknown) => error)
    const closing = vsa.close()
    net.inject('exchange', { kind: 'delay', requestMs: 0, answerMs: 200 })
    await clock.advance(3_000)
    expect(await asked).toMatchObject({ code: 'timeout', applied: 'unknown' })
    await closing
    expect(await row('calls')).toMatchObject({ used: 1 })
  })

  test('O13: every mint that was asked for before close is answered', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 0 })
    const minted = Promise.all(['a', 'b', 'c'].map((id) => seats.mint(5, { id })))
    minted.catch(() => undefined)
    const closing = vsa.close()
    await clock.advance(6_000)
    await closing
    expect(await minted).toEqual([true, true, true])
    expect(await row('seats')).toMatchObject({ minted: 15 })
  })

  test('L3 O4: close waits some flushes for a refund whose admission is in the delta of another owner', async () => {
    const { clock, owner, row } = bench()
    const [first, second] = [owner(), owner()]
    const budget = first.vsa.budget('calls', LEASED)
    await budget.admit()
    expect(budget.tryAdmit(5)).toBe(true)
    second.vsa.budget('calls', LEASED).refund(6)
    const closing = second.vsa.close()
    await clock.advance(2 * FLUSH_MS)
    await closing
    expect(second.vsa.stats()).toMatchObject({ refundsRefused: 0 })
    expect(second.vsa.stats().exchanges).toBeLessThanOrEqual(4)
    expect(await row('calls')).toMatchObject({ used: 0 })
  })

  test('O4: refunds that the last batch could not give back are counted as refused', async () => {
    const { clock, owner } = bench()
    const { vsa, events } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit(2)
    seats.refund(5)
    const closing = vsa.close()
    await clock.advance(4 * FLUSH_MS)
    await closing
    expect(vsa.stats().refundsRefused).toBe(3)
    expect(events.filter((event) => event.type === 'refunds_refused')).toMatchObject([{ key: 'seats', units: 3 }])
  })

  test('O13 S4: close ends when the period of the waiting requests cannot be opened: exchanges do not repeat without end', async () => {
    const clock = manualClock()
    let behindMs = 0
    const store = memory({ now: () => clock.now() - behindMs })
    let calls = 0
    const counted: Store = {
      capabilities: store.capabilities,
      join: (label) => store.join(label),
      exchange: (batch) => ((calls += 1), store.exchange(batch)),
      read: (names) => store.read(names),
      list: (range) => store.list(range),
      owners: () => store.owners(),
      close: () => store.close(),
    }
    const vsa = open({ store: counted, clock, onEvent: () => undefined })
    const budget = vsa.budget('calls', { limit: 10, per: 'hour', atRisk: 0 })
    await budget.admit()
    behindMs = 86_400_000
    await clock.advance(2 * 3_600_000)
    const asked = budget.admit().catch((error: unknown) => error)
    calls = 0
    const closing = vsa.close()
    const closed = closing.then(() => true)
    await clock.advance(FLUSH_MS)
    expect(calls).toBeLessThanOrEqual(4)
    await closed
    expect(await asked).toMatchObject({ code: 'closed' })
  })

  test('O10: a request in flight when close gives up fails with `applied: unknown`', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    net.cut('hang')
    const sent = seats.admit(2).catch((error: unknown) => error)
    await clock.settle()
    const queued = seats.admit(2).catch((error: unknown) => error)
    const closing = vsa.close({ deadlineMs: 300 }).catch(() => undefined)
    await clock.advance(400)
    await closing
    expect(await sent).toMatchObject({ code: 'closed', applied: 'unknown' })
    expect(await queued).toMatchObject({ code: 'closed', applied: 'no' })
  })

  test('O13: close answers requests that wait for units of other owners at once', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 60_000 })
    const [dead, asker] = [owner(), owner()]
    await dead.vsa.budget('calls', { limit: 20, per: 'month', atRisk: 20 }).admit(12)
    dead.net.cut('hang')
    const asked = asker.vsa.budget('calls', { limit: 20, per: 'month', atRisk: 20 }).decide(7)
    await clock.advance(FLUSH_MS / 2)
    await asker.vsa.close()
    expect(await asked).toMatchObject({ admitted: false, reason: 'reserved' })
  })

  test('O13: an engine that is closed in its own fenced event does not join again', async () => {
    const { clock, owner, books } = bench()
    let closed: Promise<void> | undefined
    const sleeper = owner({
      onEvent: (event) => {
        if (event.type === 'fenced') closed = sleeper.vsa.close()
      },
    })
    await sleeper.vsa.ready()
    // It was applied, and the epoch is over.
    const outcome = { granted: [], notes: {}, written: { records: 1, leaseRecords: 0 } }
    sleeper.net.exchange = async ({ seq, entries }) => ({
      ...{ kind: 'fenced', time: clock.now(), last: { seq, outcome }, forgot: false, gone: entries.map(() => null) },
    })
    sleeper.vsa.counter('likes').add()
    await clock.advance(5_000)
    expect(closed).toBeDefined()
    await closed
    expect(sleeper.net.calls.join).toBe(1)
    expect(await books.owners()).toHaveLength(1)
  })

  test.each([0, 1, 2])(
    'O13: closed by a listener while answers are taken in: requests that wait for units of other owners are told before close resolves (%d)',
    async (at) => {
      const { clock, owner } = bench({ leaseTtlMs: 60_000 })
      const [holder, asker] = [
        owner(),
        owner({
          thresholds: [0.1, 0.2, 0.3],
          onEvent: (event) => {
            if (event.type !== 'threshold' || (reached += 1) !== at + 1) return
            closed = asker.vsa.close().then(() => order.push('closed'))
          },
        }),
      ]
      let reached = 0
      const order: string[] = []
      let closed: Promise<unknown> | undefined
      const policy = { limit: 20, per: 'month', atRisk: 20 } as const
      await holder.vsa.budget('calls', policy).admit(12)
      holder.net.cut('hang')
      await asker.vsa.ready()
      const told = (what: string) => (): number => order.push(what)
      const asked = asker.vsa.budget('calls', policy).admit(7).then(told('denied'), told('failed'))
      const seats = [1, 2, 3].map((units) => asker.vsa.budget(`seats-${units}`, { initial: 10 }).admit(units))
      await clock.advance(5 * FLUSH_MS)
      expect(await Promise.all(seats)).toEqual([true, true, true])
      await Promise.all([asked, closed])
      expect(order).toEqual(['denied', 'closed'])
    },
  )

  test('O13: a close that gives up tells flushes, mints and reads, and counts the refunds that it could not send', async () => {
    const { clock, owner } = bench()
    const { vsa, net, events } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit(6)
    net.cut('hang')
    seats.refund(2)
    const flushed = vsa.flush({ deadlineMs: 60_000 }).catch((error: unknown) => error)
    const minted = seats.mint(5, { id: 'balcony' }).catch((error: unknown) => error)
    const read = vsa
      .counter('likes')
      .read()
      .catch((error: unknown) => error)
    await clock.advance(FLUSH_MS)
    seats.refund(1)
    const closing = vsa.close({ deadlineMs: 300 }).catch(() => undefined)
    await clock.advance(300)
    await closing
    for (const told of await Promise.all([flushed, minted, read]))
      expect(told).toMatchObject({ code: 'closed', applied: 'unknown' })
    expect(events).toContainEqual({ type: 'refunds_refused', key: 'seats', period: 0, units: 3 })
    expect(vsa.stats()).toMatchObject({ refundedUnits: 3, refundsRefused: 3 })
  })
})
