import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { ChaosReport } from '../src/chaos/chaos-report.ts'

const PROGRAM = fileURLToPath(new URL('../dist/chaos.js', import.meta.url))
const SEED = process.env['VSA_CHAOS_SEED'] ?? '20261122'

interface Ended {
  readonly code: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

function chaos(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

test('L1 L2 L3 L4 L5: kills, stops, closes and clocks that jump, all at once, break nothing', async () => {
  const { code, stdout, stderr } = await chaos('--seconds', '12', '--seed', SEED, '--json')
  // Written by the same build.
  const report = JSON.parse(stdout) as ChaosReport
  console.log(`chaos, seed ${SEED}:`, JSON.stringify(report))
  expect(report.violations).toEqual([])
  expect([code, stderr]).toEqual([0, ''])
  expect(report.kills).toBeGreaterThan(5)
  expect(report.closes).toBeGreaterThan(1)
  expect(report.stopsBeyondLease).toBeGreaterThan(0)
  expect(report.clockJumps).toBeGreaterThan(5)
  expect(report.clockJumpsBack).toBeGreaterThan(0)
  expect(report.fencedOwners).toBeGreaterThan(0)
  expect(report.operations).toBeGreaterThan(1_000)
  expect(report.periods).toBeGreaterThan(4)
  // The clocks were wrong where it matters: in the thread that keeps the file.
  expect(report.storeTimeAheadMs).toBeGreaterThan(10_000)
})

test.each([
  ['--seconds', '0'],
  ['--minutes', 'soon'],
  ['--processes', '0.5'],
])('a wrong %s is refused by its name', async (name, value) => {
  const { code, stderr } = await chaos(name, value)
  expect([code, stderr]).toEqual([2, expect.stringContaining(name)])
})
