import { beforeAll, describe, expect, test } from 'vitest'
import type { ChaosReport } from '../src/chaos/chaos-report.ts'
import { runChaos } from '../src/chaos/chaos-run.ts'
import { closingPlan, crashPlan } from '../src/chaos/plans.ts'
import { SUBJECTS } from '../src/chaos/subjects.ts'

const SEED = Number(process.env['VSA_CRASH_SEED'] ?? 20_261_122)
const KILLS = 200
const KEYS = Object.keys(SUBJECTS)

describe('L1 to L5 through SIGKILL and SIGSTOP, on SQLite', () => {
  let report: ChaosReport
  const broken = (...laws: readonly string[]): readonly string[] =>
    report.violations.filter((violation) => laws.some((law) => violation.startsWith(`${law}:`)))

  beforeAll(async () => {
    report = await runChaos(crashPlan(SEED, KILLS))
    console.log(`crash tests, seed ${SEED}:`, JSON.stringify(report))
  }, 280_000)

  test('children were killed as often as promised, most of them in the middle of their work', () => {
    expect(report.kills).toBeGreaterThanOrEqual(KILLS)
    expect(report.busyProcesses).toBeGreaterThan(KILLS * 0.5)
    expect(report.stopsBeyondLease).toBeGreaterThan(8)
    expect(report.closes).toBeGreaterThan(3)
    expect(report.violations.filter((violation) => !/^[LS]\d+:/.test(violation))).toEqual([])
  })

  test('L2: the books balanced at every moment at which somebody looked', () => {
    expect(report.looks).toBeGreaterThan(100)
    expect(report.rowsSeen).toBeGreaterThan(100)
    expect(broken('L2')).toEqual([])
  })

  test('L4: no lease was ever above atRisk, a death burns one lease, and what is durable burns nothing', () => {
    expect(report.leasesSeen).toBeGreaterThan(100)
    expect(broken('L4')).toEqual([])
    for (const key of KEYS.filter((key) => SUBJECTS[key]?.atRisk === 0))
      expect([key, report.burned[key]]).toEqual([key, 0])
  })

  test('L1: every unit that a caller was told of is in the books, and none was told of that was not minted', () => {
    expect(broken('L1')).toEqual([])
    expect(Object.keys(report.admitted)).toEqual(KEYS)
    for (const units of Object.values(report.admitted)) expect(units).toBeGreaterThan(0)
    expect(report.periods).toBeGreaterThan(20)
  })

  test('L3: nothing was settled that nobody asked for, every mint counted once, and the counters are what was added', () => {
    expect(broken('L3')).toEqual([])
    expect(report.mints).toBeGreaterThan(30)
    expect(report.flushes).toBeGreaterThan(10)
    expect(report.neighbourRefunds).toBeGreaterThan(10)
  })

  test('S8: the leases of the dead were burned, and the budget with a `burnMax` stopped leasing at it', () => {
    expect(broken('S8')).toEqual([])
    expect(report.burned['plenty']).toBeGreaterThan(0)
    expect(report.burned['burning']).toBeGreaterThanOrEqual(150)
  })

  test('L5: a clean process admitted what was left of each budget, to the unit', () => {
    expect(broken('L5')).toEqual([])
    expect(Object.keys(report.drained)).toEqual(KEYS)
  })

  test('S5: no lease grew once `burnMax` had burned', () => {
    expect(broken('S5')).toEqual([])
  })

  test('nothing else was wrong', () => {
    expect(report.violations).toEqual([])
  })
})

test('L3: after closes without crashes, `used` is what was admitted and not refunded, to the unit', async () => {
  const report = await runChaos(closingPlan(SEED, 12))
  expect([report.closes >= 12, report.kills, report.burnedUnits, report.violations]).toEqual([true, 0, 0, []])
  expect(report.admittedUnits).toBeGreaterThan(0)
})
