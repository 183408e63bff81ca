import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bar, liveLine } from '../../packages/vsa/dist/cli/progress.js'
import { canaryTable } from './canaries/canary-table.ts'
import { CATALOGUE } from './canaries/catalogue.ts'
import { tryDirectChecks } from './canaries/direct-finder.ts'
import { find, type Finding, SEEDS_MAX } from './canaries/find.ts'
import { SHIPPED } from './subject.ts'

/*
 * `npm run canaries`: one bug at a time is planted in a copy of the built library. The run that the catalogue names must find it, and report a
 * law that it breaks. Exits 1 when one is not caught.
 */

const { values } = parseArgs({
  options: {
    canary: { type: 'string', multiple: true },
    seeds: { type: 'string', default: String(SEEDS_MAX) },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
})

await assertHealthy()
const wanted = CATALOGUE.filter(({ name }) => values.canary === undefined || values.canary.includes(name))
const waiting = [...wanted]
const findings: Finding[] = []
const isQuiet = values.json || values.table
const line = liveLine(!isQuiet)
const startedAt = performance.now()

async function work(): Promise<void> {
  for (let canary = waiting.shift(); canary !== undefined; canary = waiting.shift()) {
    const finding = await find(canary, Number(values.seeds))
    findings.push(finding)
    if (!isQuiet) report(finding)
    line.show(() => `${bar(findings.length / wanted.length)} ${findings.length} of ${wanted.length} canaries`)
  }
}

await Promise.all(Array.from({ length: Number(values.workers) }, work))
line.done()
const survivors = findings.filter(({ caught }) => !caught)
if (values.json) {
  const plain = findings.map(({ canary: { name, rules, foundBy }, ...finding }) => ({
    name,
    rules,
    foundBy,
    ...finding,
  }))
  console.log(JSON.stringify(plain))
} else if (values.table) {
  console.log(
    canaryTable(
      findings,
      CATALOGUE.map(({ name }) => name),
    ),
  )
} else {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.log(`\n${findings.length - survivors.length} of ${findings.length} canaries caught in ${seconds} s`)
}
if (survivors.length > 0 || findings.length === 0) process.exitCode = 1

/** A direct check that fails for the shipped library would catch every canary. */
async function assertHealthy(): Promise<void> {
  for await (const { reported } of tryDirectChecks({ folder: SHIPPED }))
    if (reported[0] !== undefined) throw new Error(`the shipped library fails a check: ${reported[0].what}`)
}

function report({ canary, caught, seeds, law, laws, what }: Finding): void {
  const others = laws.filter((other) => other !== law)
  const by = `${law}${others.length > 0 ? ` (and ${others.join(', ')})` : ''}`
  const how = caught
    ? `${canary.foundBy} ${seeds}, by ${by}`
    : `NOT CAUGHT in ${seeds} tries; wrong laws: ${laws.join(', ') || 'none'}`
  line.done()
  console.log(`${canary.rules.join(' ').padEnd(7)} ${canary.name.padEnd(38)} ${how}  [${canary.what}]`)
  if (values.canary !== undefined || !caught) console.log(`        ${what.split('\n')[0]}`)
}
