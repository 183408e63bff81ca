import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bar, liveLine } from '../../packages/vsa/dist/cli/progress.js'
import { SIMULATION_CANARIES } from './canaries/catalogue.ts'
import { type Catch, hunt, SEEDS_MAX } from './canaries/simulation-finder.ts'

/* `npm run canaries`: one bug at a time is planted in a copy of the built library; the simulation must find each. Exits 1 when one survives. */

const { values } = parseArgs({
  options: {
    canary: { type: 'string', multiple: true },
    seeds: { type: 'string', default: String(SEEDS_MAX) },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
})

const wanted = SIMULATION_CANARIES.filter(({ name }) => values.canary === undefined || values.canary.includes(name))
const waiting = [...wanted]
const caught: Catch[] = []
const line = liveLine(!values.json)
const startedAt = performance.now()

async function work(): Promise<void> {
  for (let canary = waiting.shift(); canary !== undefined; canary = waiting.shift()) {
    const found = await hunt(canary, Number(values.seeds))
    caught.push(found)
    if (!values.json) tell(found)
    line.show(() => `${bar(caught.length / wanted.length)} ${caught.length} of ${wanted.length} canaries`)
  }
}

await Promise.all(Array.from({ length: Number(values.workers) }, work))
line.done()
const survivors = caught.filter(({ seeds }) => seeds === null)
if (values.json) {
  console.log(
    JSON.stringify(caught.map(({ canary, ...found }) => ({ name: canary.name, rules: canary.rules, ...found }))),
  )
} else {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.log(`\n${caught.length - survivors.length} of ${caught.length} canaries caught in ${seconds} s`)
}
if (survivors.length > 0 || caught.length === 0) process.exitCode = 1

function tell({ canary, seeds, law, what }: Catch): void {
  const found =
    seeds === null ? `SURVIVED ${values.seeds} seeds` : `seeds ${String(seeds).padStart(4)}  by ${law.padEnd(4)}`
  line.done()
  console.log(`${canary.rules.join(' ').padEnd(7)} ${canary.name.padEnd(32)} ${found}  ${canary.what}`)
  if (values.canary !== undefined) console.log(`        ${what}`)
}
