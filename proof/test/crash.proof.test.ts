import { beforeAll, describe, expect, test } from 'vitest'
import type { ChaosReport } from '../src/chaos/chaos-report.ts'
import { runChaos } from '../src/chaos/chaos-run.ts'
import { closingPlan, crashPlan } from '../src/chaos/chaos-plans.ts'
import { TEST_BUDGETS } from '../src/chaos/test-budgets.ts'

const SEED = Number(process.env['VSA_CRASH_SEED'] ?? 20_261_122)
const KILLS = 200
const KEYS = Object.keys(TEST_BUDGETS)

describe('L1 to L5 through SIGKILL and SIGSTOP, on SQLite', () => {
  let report: ChaosReport
  const broken = (...laws: readonly string[]): readonly string[] =>
    report.violations.filter((violation) => laws.some((law) => violation.startsWith(`${law}:`)))

  beforeAll(async () => {
    report = await runChaos(crashPlan(SEED, KILLS))
    console.log(`crash tests, seed ${SEED}:`, JSON.stringify(report))
  })

  test('the planned number of children was killed, most of them during work', () => {
    expect(report.kills).toBeGreaterThanOrEqual(KILLS)
    expect(report.busyProcesses).toBeGreaterThan(KILLS * 0.5)
    expect(report.pausesBeyondLease).toBeGreaterThan(8)
    expect(report.closes).toBeGreaterThan(3)
    expect(report.violations.filter((violation) => !/^[LS]\d+:/.test(violation))).toEqual([])
  })

  test('L2: every row balanced in every snapshot', () => {
    expect(report.snapshots).toBeGreaterThan(100)
    expect(report.rowsChecked).toBeGreaterThan(100)
    expect(broken('L2')).toEqual([])
  })

  test('L4: no lease is above atRisk, a death burns one lease at most, and a durable budget burns nothing', () => {
    expect(report.leasesChecked).toBeGreaterThan(100)
    expect(broken('L4')).toEqual([])
    for (const key of KEYS.filter((key) => TEST_BUDGETS[key]?.atRisk === 0))
      expect([key, report.burned[key]]).toEqual([key, 0])
  })

  test('L1: every admitted unit is in the rows, and no more units are admitted than were minted', () => {
    expect(broken('L1')).toEqual([])
    expect(Object.keys(report.admitted)).toEqual(KEYS)
    for (const units of Object.values(report.admitted)) expect(units).toBeGreaterThan(0)
    expect(report.periods).toBeGreaterThan(20)
  })

  test('L3: only requested units are settled, every mint counts once, and the counters are the sums of the adds', () => {
    expect(broken('L3')).toEqual([])
    expect(report.mints).toBeGreaterThan(30)
    expect(report.flushes).toBeGreaterThan(10)
    expect(report.refundsForOthers).toBeGreaterThan(10)
  })

  test('S8: the leases of dead owners are burned, and a budget stops leasing at its `burnMax`', () => {
    expect(broken('S8')).toEqual([])
    expect(report.burned['plenty']).toBeGreaterThan(0)
    expect(report.burned['burning']).toBeGreaterThanOrEqual(150)
  })

  test('L5: a new process admits what is left of each budget, to the unit', () => {
    expect(broken('L5')).toEqual([])
    expect(Object.keys(report.drained)).toEqual(KEYS)
  })

  test('S5: no lease grows once `burnMax` has burned', () => {
    expect(broken('S5')).toEqual([])
  })

  test('there is no other violation', () => {
    expect(report.violations).toEqual([])
  })
})

test('L3: after closes without crashes, `used` is what was admitted and not refunded, to the unit', async () => {
  const report = await runChaos(closingPlan(SEED, 12))
  expect([report.closes >= 12, report.kills, report.burnedUnits, report.violations]).toEqual([true, 0, 0, []])
  expect(report.admittedUnits).toBeGreaterThan(0)
})
