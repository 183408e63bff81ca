import { describe, expect, test } from 'vitest'
import type { VsaError } from '../../src/index.ts'
import { bench, codeOf, FLUSH_MS } from './fixture.ts'

const LEASED = { limit: 10_000, per: 'month', atRisk: 500 } as const

describe('flush and close', () => {
  test('L3 S9: close settles, returns every lease and ends the epoch; used is what was admitted', async () => {
    const { owner, row, books } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit(20)
    let admitted = 20
    for (let call = 0; call < 30; call += 1) if (budget.tryAdmit()) admitted += 1
    budget.refund(5)
    await vsa.close()
    expect(await row('calls')).toMatchObject({ used: admitted - 5, burned: 0 })
    expect((await books.list({ limit: 9 })).rows[0]?.leases).toEqual([])
    expect((await books.owners())[0]).toMatchObject({ state: 'closed' })
  })

  test('O13: after close admissions, mints and refunds are refused, and close may be called again', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const [budget, seats, likes] = [
      vsa.budget('calls', LEASED),
      vsa.budget('seats', { initial: 5 }),
      vsa.counter('likes'),
    ]
    await budget.admit()
    const closing = vsa.close()
    expect(vsa.close()).toBe(closing)
    const closed = expect.objectContaining({ code: 'closed' }) as VsaError
    expect(() => budget.tryAdmit()).toThrow(closed)
    await expect(budget.admit()).rejects.toMatchObject({ code: 'closed' })
    await closing
    await expect(seats.admit()).rejects.toMatchObject({ code: 'closed' })
    await expect(seats.mint(1, { id: 'x' })).rejects.toMatchObject({ code: 'closed' })
    expect(() => budget.refund()).toThrow(closed)
    expect(() => likes.add()).toThrow(closed)
    await expect(vsa.ready()).rejects.toMatchObject({ code: 'closed' })
    await vsa.close()
  })

  test('O13: refunds are accepted until the last batch is sent', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const seats = vsa.budget('seats', { initial: 5 })
    await seats.admit(4)
    net.inject('exchange', { kind: 'delay', requestMs: 20, answerMs: 20 })
    const asked = seats.admit()
    await clock.settle()
    const closing = vsa.close()
    seats.refund(2)
    await clock.advance(FLUSH_MS)
    await closing
    expect(await asked).toBe(true)
    expect(await row('seats')).toMatchObject({ used: 3 })
  })

  test('O13: close answers each of 100,000 waiting requests', async () => {
    const { owner, row } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 70_000 })
    const asked = Array.from({ length: 100_000 }, () => seats.admit())
    const closing = vsa.close()
    const answers = await Promise.all(asked)
    await closing
    expect(answers.filter(Boolean)).toHaveLength(70_000)
    expect(await row('seats')).toMatchObject({ used: 70_000 })
  })

  test('S9: a close whose answer is lost is repeated, and a fenced answer with its own seq means closed', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit(7)
    expect(budget.tryAdmit(2)).toBe(true)
    net.inject('exchange', { kind: 'lost_answer' })
    const closing = vsa.close()
    await clock.advance(5_000)
    await closing
    expect(await row('calls')).toMatchObject({ used: 9, burned: 0 })
  })

  test('O13: a close that stays ambiguous rejects with close_ambiguous; the lease is reaped', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 1_000 })
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', LEASED)
    await budget.admit(7)
    net.cut('hang')
    const closing = vsa.close({ deadlineMs: 500 })
    const resolved = expect(closing).rejects.toMatchObject({ code: 'close_ambiguous', applied: 'unknown' })
    await clock.advance(3_000)
    await resolved
    await owner().vsa.budget('x', { initial: 1 }).admit()
    const { used, burned } = await row('calls')
    expect(used).toBe(7)
    expect(burned).toBeGreaterThan(0)
    expect(clock.timers).toBeLessThanOrEqual(1)
  })

  test('a close after the epoch was reaped resolves', async () => {
    const { clock, owner } = bench({ leaseTtlMs: 500 })
    const { vsa, net } = owner()
    await vsa.budget('calls', LEASED).admit()
    net.cut('hang')
    await clock.advance(1_000)
    await owner().vsa.budget('x', { initial: 1 }).admit()
    const closing = vsa.close()
    net.heal()
    await clock.advance(9_000)
    await closing
  })

  test('an engine that was never used closes, and so does one that never joined', async () => {
    const { clock, owner } = bench()
    await owner().vsa.close()
    const lonely = owner({}, 'hang')
    await lonely.vsa.close()
    const asking = owner({}, 'hang')
    const asked = asking.vsa.budget('a', { initial: 1 }).admit().catch(codeOf)
    const closing = asking.vsa.close({ deadlineMs: 300 }).catch(codeOf)
    await clock.advance(1_000)
    expect(await closing).toBe('close_ambiguous')
    expect(await asked).toBe('closed')
  })

  test('L7: flush makes everything before it durable, and gives leases back when asked', async () => {
    const { owner, row } = bench()
    const { vsa } = owner()
    const calls = vsa.budgets('calls', LEASED)
    await Promise.all(Array.from({ length: 2_500 }, (_, id) => calls.of(String(id)).admit()))
    for (let id = 0; id < 2_500; id += 1) calls.of(String(id)).tryAdmit(2)
    vsa.counter('likes').add(3)
    await vsa.flush()
    for (const id of [0, 999, 1_000, 2_499]) expect((await row(`calls:${id}`)).used).toBe(3)
    expect(vsa.stats().leasedUnits).toBeGreaterThan(0)
    await vsa.flush({ returnLeases: true })
    expect(vsa.stats().leasedUnits).toBe(0)
    await vsa.flush()
  })

  test('a flush that is not confirmed rejects at its deadline', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    await vsa.budget('calls', LEASED).admit()
    net.cut('refuse')
    vsa.budget('calls', LEASED).tryAdmit()
    const flushed = expect(vsa.flush({ deadlineMs: 300 })).rejects.toMatchObject({
      code: 'store_unavailable',
      applied: 'unknown',
    })
    await clock.advance(500)
    await flushed
  })

  test('O1 G1: operations, admitted, denied and refunded units are counted to the unit, whatever the costs', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 100, per: 'month', atRisk: 60 })
    await budget.admit(40)
    let [operations, admitted, denied] = [1, 40, 0]
    for (const units of [1, 2, 3, 5, 1, 1, 8, 200, 1, 4]) {
      operations += 1
      if (budget.tryAdmit(units)) admitted += units
      else denied += units
    }
    budget.refund(4)
    budget.refund(1)
    operations += 2
    await vsa.flush()
    expect(vsa.stats()).toMatchObject({ operations, admittedUnits: admitted, deniedUnits: denied, refundedUnits: 5 })
  })
})
