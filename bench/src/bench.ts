import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { planOf } from './compare/plan.ts'
import { progressBar } from './compare/progress-bar.ts'
import type { Result } from './compare/result.ts'
import { runPlan } from './compare/run-plan.ts'
import { withTemporaryFolder } from './sqlite/temporary-folder.ts'

/*
 * `npm run bench`: VSA and what else there is, on the same stores with the same durability, in one run of about ten minutes. It writes
 * bench/results/full.json. `--quick`: less of it, in under two minutes. `--only NAME`, repeatable: the contenders and workloads whose names begin so.
 * `--processes N`: from 1 to N processes on one store (default: as many as there are cores). `--json` prints the result as JSON.
 * Exits with 1 when the books of a row do not balance: it is not printed then.
 */

const RESULTS = fileURLToPath(new URL('../results/full.json', import.meta.url))

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    processes: { type: 'string' },
  },
})
const isQuick = values.quick
const processes = values.processes === undefined ? (isQuick || values.only.length > 0 ? 1 : cpus().length) : Number(values.processes)
const plan = planOf({ isQuick, only: values.only, processes })
const bar = progressBar()
const command = `npm run bench${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`
let result: Result
try {
  result = await withTemporaryFolder((folder) => runPlan(plan, folder, command, bar))
} finally {
  bar.stop()
}
if (!isQuick && values.only.length === 0) writeFileSync(RESULTS, JSON.stringify(result))
console.log(JSON.stringify(result, null, 2))
if (result.failures.length > 0) process.exitCode = 1
