import { parseArgs } from 'node:util'
import { gateRun, type GateRun } from './gate/gate-run.ts'
import { gateText } from './gate/gate-text.ts'
import { machine } from './report/machine.ts'

/* `npm run bench:gate`: the gate compared with hand-written loops. Exits with 1 when the books do not balance. */

const SIZES = [
  { keys: 128, schedule: { turns: 201, sliceMs: 2 } },
  { keys: 1_000_000, schedule: { turns: 7, sliceMs: 1 } },
]

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, keys: { type: 'string', multiple: true } },
})

const host = machine()
const runs: GateRun[] = []
for (const { keys, schedule } of SIZES) {
  if (values.keys !== undefined && !values.keys.includes(String(keys))) continue
  runs.push(await gateRun(keys, schedule))
}
const balanced = runs.every((run) => run.books.balanced)
const floorsMet = runs.every((run) => run.figures.every((figure) => figure.met !== false))
const report = { bench: 'gate', machine: host, runs, floorsMet, balanced }
console.log(values.json ? JSON.stringify(report, null, 2) : gateText(host, runs))
if (!balanced) process.exitCode = 1
