import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../dist/sim.js', import.meta.url))
const SEEDS = 500

interface Ended {
  readonly code: number | string | null | undefined
  readonly stdout: string
}

function sim(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { maxBuffer: 1 << 28 }, (error, stdout) =>
      resolve({ code: error === null ? 0 : error.code, stdout }),
    )
  })
}

test(`L1 L2 L3 L4 L5 L6 L7 L9: ${SEEDS} seeds and every script of the corpus without a violation, and every scenario reached`, async () => {
  const { code, stdout } = await sim('--seeds', String(SEEDS), '--json')
  console.log('simulation:', stdout.trim())
  // Written by the same build.
  const report = JSON.parse(stdout) as Record<string, unknown>
  expect(report).toMatchObject({ seeds: SEEDS, violations: 0, missed: [] })
  expect(report['corpus']).toBeGreaterThan(0)
  expect(report['operations']).toBeGreaterThan(50_000)
  expect(report['exchanges']).toBeGreaterThan(10_000)
  for (const [kind, times] of Object.entries(report['faults'] as Record<string, number>)) {
    expect({ kind, happened: times > 10 }).toEqual({ kind, happened: true })
  }
  expect(code).toBe(0)
})

test('a seed tells the whole story: the same seed gives the same trace, to the byte', async () => {
  const [first, second] = [await sim('--seed', '7', '--trace'), await sim('--seed', '7', '--trace')]
  const story = ({ stdout }: Ended): string => stdout.replace(/^1 seeds in .*$/m, '')
  expect(story(first).split('\n').length).toBeGreaterThan(100)
  expect(story(second)).toBe(story(first))
})
