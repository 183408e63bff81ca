import { expect, test } from 'vitest'
import { runSimulation, traceSeed } from '../src/proof/programs.ts'

/** `npm run proof` runs thousands. */
const SEEDS = 8

test(`L1 L2 L3 L4 L5 L6 L7 L9: ${SEEDS} seeds and every script of the corpus run without a violation`, async () => {
  const report = await runSimulation(SEEDS)
  expect(report).toMatchObject({ seeds: SEEDS, violations: 0 })
  expect(report.corpus).toBeGreaterThan(0)
  expect(report.operations).toBeGreaterThan(100 * SEEDS)
  expect(report.exchanges).toBeGreaterThan(20 * SEEDS)
  for (const [kind, times] of Object.entries(report.faults)) expect([kind, times > 0]).toEqual([kind, true])
})

test('the same seed gives the same trace, byte for byte', async () => {
  const withoutTimes = (trace: string): string => trace.replace(/^1 seeds in .*$/m, '')
  const [first, second] = await Promise.all([traceSeed(7), traceSeed(7)])
  expect(first.split('\n').length).toBeGreaterThan(100)
  expect(withoutTimes(second)).toBe(withoutTimes(first))
})
