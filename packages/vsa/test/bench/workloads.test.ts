import { describe, expect, test } from 'vitest'
import { accountOf } from '../../../../bench/src/compare/account.ts'
import { Ledger } from '../../../../bench/src/compare/ledger.ts'
import { stepsOf } from '../../../../bench/src/compare/steps.ts'
import type { Books, Contender } from '../../../../bench/src/contenders/contender.ts'
import { missingInput } from '../../../../bench/src/workloads/access-log.ts'
import { WORKLOADS, workloadNamed } from '../../../../bench/src/workloads/catalog.ts'
import { operationsOf } from '../../../../bench/src/workloads/operations.ts'
import { ADMIT, limitOf, REFUND, traceOf } from '../../../../bench/src/workloads/trace.ts'

const LENGTH = 4_000

describe.each(WORKLOADS.filter((workload) => missingInput(workload) === null))('the workload $name', (workload) => {
  const trace = traceOf(workload, LENGTH)

  test('is the same for the same seed', () => {
    expect(traceOf(workload, LENGTH).keys).toEqual(trace.keys)
    expect(traceOf(workload, LENGTH).units).toEqual(trace.units)
  })

  test('gives back only what was taken before, and nothing twice', () => {
    const taken = new Map<string, number>()
    let least = 0
    for (const { kind, key, units } of operationsOf(trace)) {
      const left = (taken.get(key) ?? 0) + (kind === 'refund' ? -units : units)
      least = Math.min(least, left)
      taken.set(key, left)
    }
    expect(least).toBe(0)
  })

  test('settles a tenth to nine tenths of what is reserved, and elsewhere all', () => {
    const shares = [...trace.units].map((units, at) => (trace.settled[at] ?? 0) / units)
    const isReserved = workload.cost.kind === 'reserved'
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(isReserved ? 0.1 : 1)
    expect(Math.max(...shares)).toBeLessThanOrEqual(isReserved ? 0.901 : 1)
  })
})

describe('workloads', () => {
  const shareOf = (name: string, isCounted: (key: number, at: number) => boolean): number =>
    [...traceOf(workloadNamed(name), LENGTH).keys].filter(isCounted).length / LENGTH

  test('are what their names say', () => {
    expect(shareOf('cold-keys', (key, at) => key === at)).toBe(1)
    expect(shareOf('hot-key', (key) => key === 0)).toBe(1)
    // The first of 4,096 keys has 1 / (1 + 1/2 + ... + 1/4096) of the operations.
    expect(shareOf('zipf-4096', (key) => key === 0)).toBeCloseTo(0.1125, 1)
    const scarce = traceOf(workloadNamed('deny-heavy'), LENGTH)
    expect(shareOf('deny-heavy', (key) => limitOf(scarce, key) === 10)).toBeCloseTo(0.9, 1)
    const zero = traceOf(workloadNamed('churn-to-zero'), LENGTH)
    expect([...zero.kinds.slice(0, 4)]).toEqual([ADMIT, REFUND, ADMIT, REFUND])
  })

  test('a name that is not there is refused, and the names are told', () => {
    expect(() => workloadNamed('cold')).toThrow(/no workload cold; there are article, hot-key/)
  })
})

describe('the books of a contender', () => {
  const workload = workloadNamed('flash-sale')
  const exact = { isExact: true } as Contender
  const books = (used: number, missing = 0): Books => ({ used: Float64Array.of(used), burned: 0, missing })
  const told = (net: number): { net: Float64Array; skippedRefunds: number } => ({
    net: Float64Array.of(net),
    skippedRefunds: 0,
  })

  test('balance up to the limit', () => {
    expect(accountOf(exact, workload, [told(12_000), told(8_000)], books(20_000))).toEqual({
      netUnits: 20_000,
      overAdmittedUnits: 0,
      burnedUnits: 0,
      problems: [],
    })
  })

  test('do not balance one past it, when a write is lost, or when a unit is in no account', () => {
    const problemsOf = (net: number, of: Books, contender = exact): readonly string[] =>
      accountOf(contender, workload, [told(net)], of).problems
    expect(problemsOf(20_001, books(20_001))).toEqual(['1 units admitted beyond the limit'])
    expect(problemsOf(20_000, books(19_999))).toEqual(['1 of 1 keys differ from the store, by 1 units in all'])
    expect(problemsOf(5, books(5, 1))).toEqual(['1 units are in no account after the close'])
    expect(problemsOf(0, books(0))).toEqual(['nothing was admitted'])
    expect(problemsOf(20_001, books(20_001), { isExact: false } as Contender)).toEqual([])
  })

  test('are of what callers were told: a refund of what was denied is left out', async () => {
    const trace = traceOf(workloadNamed('article'), LENGTH)
    const ledger = new Ledger(trace)
    let refunds = 0
    const limiter = {
      admit: (_: number, units: number): boolean | Promise<boolean> =>
        refunds % 2 === 0 ? units > 1 : Promise.resolve(false),
      refund: (): void => void (refunds += 1),
      close: async () => undefined,
      books: async () => books(0),
    }
    const steps = stepsOf(limiter, trace, ledger)
    for (let at = 0; at < LENGTH;) {
      const { next, later } = steps(at, LENGTH)
      await later
      at = next
    }
    expect(refunds).toBe(0)
    expect(ledger.admitted).toBe(0)
    expect(ledger.denied + ledger.skipped).toBe(LENGTH)
    expect(ledger.skipped).toBeGreaterThan(LENGTH / 3)
  })
})
