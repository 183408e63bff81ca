import { expect, test } from 'vitest'
import type { Part, PartResult } from '../src/proof/part.ts'
import { runParts, totalsText, type Totals } from '../src/proof/run-parts.ts'

function part(name: string, run: () => Promise<Partial<PartResult>>): Part {
  return {
    name,
    expectedSeconds: 1,
    run: async () => ({ checks: [], skipped: [], summary: `${name} was run`, ...(await run()) }),
  }
}

const passing = part('passing', async () => ({
  checks: [
    { name: 'a', failure: null },
    { name: 'b', failure: null },
  ],
}))

async function run(parts: readonly Part[]): Promise<{ readonly totals: Totals; readonly output: string }> {
  const lines: string[] = []
  let seconds = 0
  const totals = await runParts(parts, {
    signal: new AbortController().signal,
    print: (text) => lines.push(text),
    nowMs: () => (seconds += 1) * 1_000,
  })
  return { totals, output: lines.join('\n') }
}

test('a passed part prints one line with its name, its time and its summary', async () => {
  const { totals, output } = await run([passing])
  expect(totals).toEqual({ passed: 2, failed: 0, skipped: 0 })
  expect(output).toMatch(/^passing +passed +1\.0 s {2}passing was run$/)
})

test('a failed check is printed with its reason, and the other parts still run', async () => {
  const failing = part('failing', async () => ({ checks: [{ name: 'law', failure: 'L1: broken' }] }))
  const { totals, output } = await run([failing, passing])
  expect(totals).toEqual({ passed: 2, failed: 1, skipped: 0 })
  expect(output).toMatch(/failing +FAILED/)
  expect(output).toContain('  law: L1: broken')
})

test('a part that throws fails', async () => {
  const throwing = part('throwing', async () => {
    throw new Error('exit code 7')
  })
  const { totals, output } = await run([throwing])
  expect([totals.failed, output]).toEqual([1, expect.stringContaining('exit code 7')])
})

test('a part that checks nothing fails', async () => {
  expect((await run([part('empty', async () => ({}))])).totals).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('skipped checks are printed and counted', async () => {
  const skipping = part('skipping', async () => ({
    checks: [{ name: 'a', failure: null }],
    skipped: ['Node 24: not installed'],
  }))
  const { totals, output } = await run([skipping])
  expect(output).toContain('skipped: Node 24: not installed')
  expect(totalsText(totals)).toBe('1 passed, 0 failed, 1 skipped')
})

test('a stopped proof rejects, and does not count the stopped part', async () => {
  const stopping = new AbortController()
  const stopped = part('stopped', async () => {
    stopping.abort(new Error('SIGINT'))
    return {}
  })
  const running = runParts([stopped, passing], { signal: stopping.signal, print: () => undefined, nowMs: () => 0 })
  await expect(running).rejects.toThrow('SIGINT')
})
