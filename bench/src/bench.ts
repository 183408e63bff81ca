import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { planOf } from './compare/plan.ts'
import { progressBar } from './compare/progress-bar.ts'
import type { Result } from './compare/result.ts'
import { runPlan } from './compare/run-plan.ts'
import { writePages } from './page/pages.ts'
import { textReport } from './page/text-report.ts'
import { withTemporaryFolder } from './sqlite/temporary-folder.ts'

/*
 * `npm run bench`: VSA and what else there is, on the same stores with the same durability, in one run of about ten minutes. It writes
 * bench/results/full.json, the plots, and the sections of docs/benchmarks.md and README.md that are marked for it. `--quick`: less of it, in under two
 * minutes, and no page. `--only NAME`, repeatable: the contenders and workloads whose names begin so, and no page. `--processes N`: from 1 to N processes
 * on one store (default: as many as there are cores). `--json` prints the result as JSON. `--pages` writes the pages again from bench/results/full.json.
 * Exits with 1 when the books of a row do not balance: it is not printed then.
 */

const RESULTS = new URL('../results/', import.meta.url)
const FULL = fileURLToPath(new URL('full.json', RESULTS))

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    processes: { type: 'string' },
  },
})

const result = values.pages ? (JSON.parse(readFileSync(FULL, 'utf8')) as Result) : await measure()
if (values.pages) writePages(result)
else if (!values.quick && values.only.length === 0) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(FULL, `${JSON.stringify(result)}\n`)
  if (result.failures.length === 0) writePages(result)
}
console.log(values.json ? JSON.stringify(result, null, 2) : textReport(result))
if (result.failures.length > 0) process.exitCode = 1

async function measure(): Promise<Result> {
  const plan = planOf({ isQuick: values.quick, only: values.only, processes: processesOf() })
  const bar = progressBar()
  const options = process.argv.slice(2)
  const command = `npm run bench${options.length > 0 ? ` -- ${options.join(' ')}` : ''}`
  try {
    return await withTemporaryFolder((folder) => runPlan(plan, folder, command, bar))
  } finally {
    bar.stop()
  }
}

/** @throws RangeError for what is no number from 1 */
function processesOf(): number {
  if (values.processes === undefined) return values.quick || values.only.length > 0 ? 1 : cpus().length
  const processes = Number(values.processes)
  if (!Number.isInteger(processes) || processes < 1) throw new RangeError('--processes is a whole number from 1')
  return processes
}
