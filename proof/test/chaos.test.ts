import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { crashPlan } from '../src/chaos/chaos-plans.ts'
import { runChaos } from '../src/chaos/chaos-run.ts'
import { runNode } from '../src/proof/programs.ts'

const PROGRAM = fileURLToPath(new URL('../dist/chaos.js', import.meta.url))
const SEED = 20_261_122
/** `npm run proof` kills hundreds, and pauses processes and sets clocks, too. */
const KILLS = 4

test('L1 L2 L3 L4 L5: every law holds through kills', async () => {
  const report = await runChaos(crashPlan(SEED, KILLS))
  expect(report.violations).toEqual([])
  expect(report.kills).toBeGreaterThanOrEqual(KILLS)
  expect(report.operations).toBeGreaterThan(0)
})

test.each([
  ['--seconds', '0'],
  ['--minutes', 'soon'],
  ['--kills', '0'],
  ['--processes', '0.5'],
])('an invalid %s is refused, and the error names it', async (name, value) => {
  const { code, stderr } = await runNode([PROGRAM, name, value])
  expect([code, stderr]).toEqual([2, expect.stringContaining(name)])
})
