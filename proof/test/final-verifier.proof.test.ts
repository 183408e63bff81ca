import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { CallTotals } from '../src/chaos/call-totals.ts'
import { closingPlan } from '../src/chaos/chaos-plans.ts'
import { FinalVerifier } from '../src/chaos/final-verifier.ts'
import type { PoolResult } from '../src/chaos/process-pool.ts'
import { TEST_BUDGETS, type TestBudget } from '../src/chaos/test-budgets.ts'

const POOL: PoolResult = {
  started: 1,
  kills: 0,
  pauses: 0,
  closes: 1,
  killedInClose: 0,
  clocks: { jumps: 0, jumpsBack: 0, aheadMaxMs: 0, behindMaxMs: 0 },
  mintIds: 1,
  childErrors: [],
}
const scarce = TEST_BUDGETS['scarce'] as TestBudget
const ticks = TEST_BUDGETS['ticks'] as TestBudget

/** The violations that the verifier reports after one owner admitted 5 units, minted once, added 7 and closed, when its call log has these lines. */
async function violationsWith(lines: (period: number) => readonly string[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-verifier-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'store.db')
  const vsa = open({ store: sqlite(file, { thread: false }) })
  await vsa.budget('scarce', scarce.policy).admit(5)
  await vsa.budget('scarce', scarce.policy).mint(scarce.mintUnits, { id: 'm-0' })
  const { period = 0 } = await vsa.budget('ticks', ticks.policy).decide(2)
  vsa.counter('likes').add(7)
  await vsa.close()
  const log = join(folder, '1.txt')
  writeFileSync(
    log,
    lines(period)
      .map((line) => `${line}\n`)
      .join(''),
  )
  const totals = new CallTotals()
  totals.add(log)
  const plan = { ...closingPlan(1, 1), budgets: { scarce, ticks } }
  return (await new FinalVerifier(plan, file, POOL, totals).verify()).violations
}

const correctLines = (period: number): string[] => [
  'requested scarce 5 0 -',
  'admitted scarce 5 0 -',
  'minting scarce 60 0 m-0',
  'minted scarce 1 0 m-0',
  'requested ticks 2 0 -',
  `admitted ticks 2 ${period} -`,
  'adding likes 7 0 -',
  'closed - 0 0 -',
]

test('a correct log has no violations', async () => {
  expect(await violationsWith(correctLines)).toEqual([])
})

test.each<readonly [string, string, (period: number) => readonly string[]]>([
  [
    'one unit was answered and is not in the rows',
    'L1: the rows do not cover',
    (period) => [...correctLines(period), 'requested scarce 1 0 -', 'admitted scarce 1 0 -'],
  ],
  ['one unit was settled that was not requested', 'L3: more was settled', (period) => correctLines(period).slice(2)],
  [
    'units were admitted in a period without a row',
    'L1: ticks: units were admitted in 7',
    (period) => [...correctLines(period), 'requested ticks 1 0 -', 'admitted ticks 1 7 -'],
  ],
  [
    'more than the limit was admitted in one period',
    'L1: ticks: 202 units of 200',
    (period) => [...correctLines(period), 'requested ticks 200 0 -', `admitted ticks 200 ${period} -`],
  ],
  [
    'a mint was answered as the first twice',
    'L3: scarce: 2 processes',
    (period) => [...correctLines(period), 'minted scarce 1 0 m-0'],
  ],
  [
    'a counter is not the sum of the adds',
    'L3: counter likes',
    (period) => ['adding likes 1 0 -', ...correctLines(period)],
  ],
  [
    'a child logged row_lost',
    'event: children logged row_lost',
    (period) => [...correctLines(period), 'event row_lost 0 0 -'],
  ],
])('a wrong log is a violation: %s', async (_, violation, lines) => {
  const found = await violationsWith(lines)
  expect(found.filter((text) => text.startsWith(violation))).toHaveLength(1)
})
