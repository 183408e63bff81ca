import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Check, Part } from './part.ts'
import { runNode, type ProgramEnd } from './programs.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs')
const COUNTS = /^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$/m

/** The tests named `*.proof.test.ts`: those that take long, measure time, or need a registry. And tests of random cases, with more of them. */
export const testsPart: Part = {
  name: 'tests',
  expectedSeconds: 150,
  run: async (signal) => {
    const ended = await runNode([VITEST, 'run', '--project', 'proof-alone', '--project', 'proof'], signal, ROOT)
    const { passed, failed } = countsOf(ended)
    const text = `${ended.stdout}\n${ended.stderr}`
    const checks: Check[] = Array.from({ length: passed }, () => ({ name: 'a test', failure: null }))
    // The output has all failures; it is printed once.
    for (let at = 0; at < failed; at += 1) checks.push({ name: 'a test', failure: at === 0 ? text : 'see above' })
    if (failed === 0 && ended.code !== 0) checks.push({ name: 'exit code', failure: text })
    return {
      checks,
      skipped: [...text.matchAll(/^skipped: (.+)$/gm)].map(([, test = '']) => test),
      summary: `${passed} tests: crash tests with 200 kills, the installed tarball, the speed of the gate, random cases`,
    }
  },
}

/** The last line of every test run (vitest.counts.ts). */
function countsOf({ code, stdout, stderr }: ProgramEnd): { readonly passed: number; readonly failed: number } {
  const found = COUNTS.exec(stdout)
  if (found === null) throw new Error(`exit code ${code}, and no counts:\n${stdout}\n${stderr}`)
  return { passed: Number(found[1]), failed: Number(found[2]) }
}
