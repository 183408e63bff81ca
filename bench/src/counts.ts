import { parseArgs } from 'node:util'
import { BASELINE_PATH, readBaseline, writeBaseline } from './counts/baseline.ts'
import { COUNT_CASES } from './counts/count-case.ts'
import { type Counts, countsOf } from './counts/counts-of.ts'
import { differences, HOW_TO_ACCEPT, perMillion } from './counts/differences.ts'
import { table } from './report/table.ts'
import { missingInput } from './workloads/access-log.ts'

/*
 * `npm run counts`: store calls, rows and bytes of each workload, on the clock of `vsa/testing` and the store in memory: the same on every machine.
 * `--update` accepts them as the baseline, which `npm test` compares with. Exits with 1 where they differ from it and are not accepted.
 */

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, update: { type: 'boolean', default: false } },
})

const baseline = { ...readBaseline() }
const counted: Record<string, Counts> = {}
for (const one of COUNT_CASES) {
  const missing = missingInput(one.workload)
  if (missing === null) counted[one.name] = await countsOf(one)
  else console.error(`${one.name}: not counted, because ${missing}`)
}
const changed = Object.entries(counted).flatMap(([name, counts]) => differences(name, baseline[name], counts) ?? [])

if (values.json) console.log(JSON.stringify(counted, null, 2))
else console.log(countsText(counted))
for (const change of changed) console.error(change)
if (values.update) {
  // What could not be counted here stays as it was. What is no case any more goes.
  const kept = COUNT_CASES.flatMap(({ name }) => {
    const counts = counted[name] ?? baseline[name]
    return counts === undefined ? [] : [[name, counts] as const]
  })
  writeBaseline(Object.fromEntries(kept))
  console.error(`accepted: ${BASELINE_PATH}`)
} else if (changed.length > 0) {
  console.error(HOW_TO_ACCEPT)
  process.exitCode = 1
}

function countsText(all: Readonly<Record<string, Counts>>): string {
  const titles = ['per million operations', 'operations', 'exchanges', 'reads', 'records', 'lease records', 'bytes']
  const figures = ['exchanges', 'reads', 'records', 'leaseRecords', 'bytes'] as const
  return table(
    titles,
    Object.entries(all).map(([name, counts]) => [
      name,
      counts.operations.toLocaleString('en-US'),
      ...figures.map((figure) => Math.round(perMillion(counts, figure)).toLocaleString('en-US')),
    ]),
  )
}
