import { describe, expect, test } from 'vitest'
import type { Budget } from '../../src/index.ts'
import { bench, FLUSH_MS } from './fixture.ts'

/** What a scan of the budgets or of their rows would have to read. */
const READ_BY_A_SCAN = ['room', 'row', 'lease', 'newer'] as const

/** Counts each look at one of those properties of the budget and of its row. */
function watch(budget: Budget, look: () => void): void {
  if (!('row' in budget) || typeof budget.row !== 'object' || budget.row === null) throw new Error('no row')
  for (const object of [budget.row, budget]) {
    for (const name of READ_BY_A_SCAN) {
      if (!Object.hasOwn(object, name)) continue
      let value: unknown = Reflect.get(object, name)
      const get = (): unknown => {
        look()
        return value
      }
      const set = (next: unknown): void => {
        value = next
      }
      Object.defineProperty(object, name, { get, set })
    }
  }
}

describe('stats()', () => {
  test('G3, L8: it looks at no budget and at no row, though 2,000 have spending that was not sent', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const family = vsa.budgets('calls', { limit: 1_000, per: 'month', atRisk: 100 })
    const budgets = Array.from({ length: 2_000 }, (_, index) => family.of(String(index)))
    await Promise.all(budgets.map((budget) => budget.admit()))
    expect(budgets.every((budget) => budget.tryAdmit(2))).toBe(true)
    let looks = 0
    for (const budget of budgets) watch(budget, () => (looks += 1))
    vsa.stats()
    expect(looks).toBe(0)
    // The watch sees what a look is.
    budgets[0]?.tryAdmit()
    expect(looks).toBeGreaterThan(0)
    await vsa.flush()
    expect(vsa.stats().admittedUnits).toBe(2_000 * 3 + 1)
  })

  test('G1: with few budgets every figure is exact at any moment', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const budgets = Array.from({ length: 200 }, (_, at) =>
      vsa.budget(`b${at}`, { limit: 10 ** 6, per: 'month', atRisk: 500 }),
    )
    await Promise.all(budgets.map((budget) => budget.admit()))
    await vsa.flush()
    let [operations, admittedUnits] = [200, 200]
    for (const [at, budget] of budgets.entries()) {
      expect(budget.tryAdmit(1 + (at % 3))).toBe(true)
      operations += 1
      admittedUnits += 1 + (at % 3)
      expect(vsa.stats()).toMatchObject({ operations, admittedUnits })
    }
  })

  test('G1: operations and admittedUnits never fall, lack what was not sent, at most leasedUnits, and have all of it after a flush', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const budgets = Array.from({ length: 300 }, (_, at) =>
      vsa.budget(`b${at}`, { limit: 10 ** 6, per: 'month', atRisk: 500 }),
    )
    await Promise.all(budgets.map((budget) => budget.admit()))
    const truth = { operations: 300, admittedUnits: 300 }
    let before = { ...truth }
    for (let step = 0; step < 2_000; step += 1) {
      const budget = budgets[step % 300]
      const units = 1 + ((step * 7) % 23)
      truth.operations += 1
      const isAdmitted = budget?.tryAdmit(units) === true
      if (isAdmitted) truth.admittedUnits += units
      if (isAdmitted && step % 5 === 0) {
        budget.refund(units)
        truth.operations += 1
      }
      if (step % 700 === 699) await clock.advance(FLUSH_MS)
      const { operations, admittedUnits, refundedUnits, leasedUnits } = vsa.stats()
      for (const [told, was, is] of [
        [operations, before.operations, truth.operations],
        [admittedUnits, before.admittedUnits, truth.admittedUnits],
      ] as const) {
        expect(told).toBeGreaterThanOrEqual(Math.max(was, is - leasedUnits))
        expect(told).toBeLessThanOrEqual(is)
      }
      expect(admittedUnits).toBeGreaterThanOrEqual(refundedUnits)
      before = { operations, admittedUnits }
    }
    expect(before).not.toEqual(truth)
    await vsa.flush()
    expect(vsa.stats()).toMatchObject(truth)
  })

  test('G1: a close that gives up leaves nothing uncounted', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner()
    const budget = vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 100 })
    await budget.admit()
    net.cut('hang')
    expect([budget.tryAdmit(3), budget.tryAdmit(4)]).toEqual([true, true])
    const closed = expect(vsa.close({ deadlineMs: 1_000 })).rejects.toMatchObject({ code: 'close_ambiguous' })
    await clock.advance(1_000)
    await closed
    expect(vsa.stats()).toMatchObject({ operations: 3, admittedUnits: 8 })
  })
})
