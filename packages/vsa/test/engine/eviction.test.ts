import { describe, expect, test } from 'vitest'
import type { Budget } from '../../src/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

const LEASED = { limit: 1_000, per: 'month', atRisk: 60 } as const

describe('eviction', () => {
  test('G5 L3: a budget that was evicted before the first join keeps one gate and loses no unit', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner({ budgetsMax: 1 })
    const calls = vsa.budgets('calls', LEASED)
    const early = calls.of('a')
    early.tryAdmit()
    for (const id of ['b', 'c', 'd']) calls.of(id)
    await clock.settle()
    let admitted = 0
    for (let round = 0; round < 3; round += 1) {
      if (calls.of('a').tryAdmit()) admitted += 1
      if (early.tryAdmit()) admitted += 1
    }
    expect(admitted).toBeGreaterThan(0)
    await vsa.close()
    expect((await row('calls:a')).used).toBe(admitted)
  })

  test('G5 L3: several budgets of one request do not evict each other’s gate', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner({ budgetsMax: 1 })
    const calls = vsa.budgets('calls', LEASED)
    const [a, b, c] = [calls.of('a'), calls.of('b'), calls.of('c')]
    let admitted = 0
    for (let round = 0; round < 5; round += 1) {
      if (
        await vsa.admitAll([
          [a, 1],
          [b, 1],
          [c, 1],
        ])
      )
        admitted += 1
      for (const id of ['a', 'b', 'c']) if (calls.of(id).tryAdmit()) admitted += id === 'a' ? 1 : 0
      await clock.advance(round === 2 ? 1_000 : 10)
    }
    await vsa.close()
    expect((await row('calls:a')).used).toBe(admitted)
  })

  test('G5 R4: a request that evicts the budget of a settlement from the same batch leaves its row one entry', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net, batches } = owner({ budgetsMax: 1, exchangeTimeoutMs: 100 })
    const budgetOf = (key: string): Budget => vsa.budget(key, { limit: 100, per: 'month', atRisk: 10, burnMax: 0 })
    const [a, b] = [budgetOf('a'), budgetOf('b')]
    const kept = await a.reserve(10, { id: 'call', ttlMs: 3_600_000, onExpire: 'return' })
    net.cut('hang')
    const calls: Promise<unknown>[] = [a.admit()]
    await clock.settle()
    // The budget of the second request is evicted while it waits, and put back when its batch is made.
    calls.push(b.admit())
    budgetOf('c')
    calls.push(a.admit(2), kept?.settle(4) ?? Promise.reject(new Error('not reserved')))
    net.heal()
    await clock.advance(3_000)
    expect(await Promise.all(calls)).toEqual([true, true, true, { settled: 4, uncovered: 0, repeated: false }])
    for (const { entries } of batches) {
      const keys = entries.flatMap((entry) => (entry.kind === 'budget' ? entry.key : []))
      expect(new Set(keys).size).toBe(keys.length)
    }
    expect(await row('a')).toMatchObject({ used: 7, reserved: 0, pool: 93 })
  })

  test('L9: while the store is away, memory stays bounded however many budgets are tried', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner({ budgetsMax: 50 })
    const calls = vsa.budgets('calls', LEASED)
    await calls.of('0').admit()
    net.cut('refuse')
    calls.of('0').tryAdmit()
    await clock.advance(500)
    for (let id = 1; id < 1_000; id += 1) calls.of(String(id)).tryAdmit()
    expect(vsa.stats().budgets).toBeLessThanOrEqual(100)
    net.heal()
    await clock.advance(5_000)
    calls.of('999').tryAdmit()
    await clock.settle()
    expect(calls.of('999').tryAdmit()).toBe(true)
  })

  test('L9: evicting an idle budget and loading it again changes nothing', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner({ budgetsMax: 10 })
    const calls = vsa.budgets('calls', { limit: 20, per: 'month', atRisk: 4 })
    const kept = calls.of('0')
    for (let round = 0; round < 4; round += 1) {
      for (let id = 0; id < 100; id += 1) {
        expect(await calls.of(String(id)).admit(2)).toBe(true)
        if (id % 5 === 0) await clock.advance(6 * FLUSH_MS)
      }
    }
    expect(vsa.stats().budgets).toBeLessThan(40)
    await vsa.flush({ returnLeases: true })
    for (let id = 0; id < 100; id += 1) expect((await row(`calls:${id}`)).used).toBe(8)
    expect(await kept.admit(12)).toBe(true)
    expect(await calls.of('0').admit(1)).toBe(false)
  })

  test('G5: a handle that outlives an eviction and a new one share one gate', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner({ budgetsMax: 2 })
    const calls = vsa.budgets('calls', { limit: 100, per: 'month', atRisk: 50 })
    const old = calls.of('a')
    await old.admit()
    await clock.advance(10 * FLUSH_MS)
    for (let id = 0; id < 20; id += 1) calls.of(String(id))
    const young = calls.of('a')
    await young.admit()
    let admitted = 2
    for (let call = 0; call < 200; call += 1) {
      if (old.tryAdmit()) admitted += 1
      if (young.tryAdmit()) admitted += 1
      if (call % 3 === 0) await clock.settle()
    }
    expect(admitted).toBe(100)
    await vsa.flush()
    expect((await row('calls:a')).used).toBe(100)
  })
})
