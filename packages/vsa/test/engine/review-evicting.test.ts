import { describe, expect, test } from 'vitest'
import { bench } from './fixture.ts'

const LEASED = { limit: 1_000, per: 'month', atRisk: 60 } as const

describe('evicting, reviewed', () => {
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

  test('G5 L3: several budgets asked for at once evict each other no gate', async () => {
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
})
