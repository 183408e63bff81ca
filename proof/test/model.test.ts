import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { expected } from '../src/model/catches.ts'

const PROGRAM = fileURLToPath(new URL('../dist/model.js', import.meta.url))
/** By configuration: as many states as a test has time for. `npm run model` goes to the end. */
const STATES_MAX = 4_000

/** Found within some hundred states. `npm run model -- --canaries` hunts for all that the model can express. */
const QUICK: readonly string[] = [
  'replay-applied-again',
  'ended-epoch-accepted',
  'epoch-given-twice',
  'spent-stays-leased',
  'refund-beyond-used',
  'take-in-part',
  'lease-from-an-empty-pool',
  'lease-without-debit',
  'settlement-unwritten',
  'wanted-lease-grows',
  'dead-lease-returned',
  'dead-lease-dropped',
  'dead-lease-burned-for-ever',
  'reaped-early',
  'late-owner-reaps-itself',
  'living-lease-burned',
  'close-keeps-the-epoch-open',
  'spent-is-forgotten',
  'new-seq-after-unknown',
  'return-deducted-on-acknowledgement',
  'sent-spending-forgotten',
  'asked-counts-as-had',
]

interface Report {
  readonly states: number
  readonly violations: number
  readonly configurations: readonly { readonly name: string; readonly exhausted: boolean; readonly states: number }[]
}

interface Caught {
  readonly name: string
  readonly steps: number | null
  readonly law: string
  readonly trace: readonly string[]
}

/** What anybody who doubts would run. */
function model(...options: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, '--json', ...options], { maxBuffer: 1 << 26 }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout }),
    )
  })
}

test('L1 L2 L3 L4: no law breaks in the nearest states of each configuration', async () => {
  const { code, stdout } = await model('--states', String(STATES_MAX))
  // Written by the same build.
  const report = JSON.parse(stdout) as Report
  expect(report.violations).toBe(0)
  expect(report.configurations.length).toBeGreaterThan(10)
  for (const { name, states, exhausted } of report.configurations)
    expect([name, exhausted || states >= STATES_MAX]).toEqual([name, true])
  expect(code).toBe(0)
})

describe('planted bugs that the model can express', () => {
  let caught: readonly Caught[] = []

  beforeAll(async () => {
    const { stdout } = await model(...QUICK.flatMap((name) => ['--canary', name]))
    caught = JSON.parse(stdout) as readonly Caught[]
    for (const { name, steps, law } of caught) console.log(`canary ${name}: ${steps ?? 'SURVIVED'} steps, ${law}`)
  })

  test.each(expected(QUICK).map(({ canary }) => [canary.rules.join(' '), canary.what, canary.name] as const))(
    '%s: the model finds that %s',
    (_rules, _what, name) => {
      const found = caught.find((each) => each.name === name)
      expect(found?.steps).toEqual(expect.any(Number))
      expect(found?.trace).toHaveLength(found?.steps ?? -1)
    },
  )
})
