import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bar, liveLine } from '../../packages/vsa/dist/cli/progress.js'
import { FLOCK } from './canaries/flock.ts'
import { type Catch, hunt, SEEDS_MAX } from './canaries/hunt.ts'

/* `npm run canaries`: one bug at a time is planted in a copy of the built library; the simulation must find each. Exits 1 when one survives. */

const { values } = parseArgs({
  options: {
    canary: { type: 'string', multiple: true },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
})

const wanted = FLOCK.filter(({ name }) => values.canary === undefined || values.canary.includes(name))
const waiting = [...wanted]
const caught: Catch[] = []
const line = liveLine(!values.json)
const startedAt = performance.now()

async function work(): Promise<void> {
  for (let canary = waiting.shift(); canary !== undefined; canary = waiting.shift()) {
    caught.push(await hunt(canary, Number(values.from)))
    line.show(() => `${bar(caught.length / wanted.length)} ${caught.length} of ${wanted.length} canaries`)
  }
}

await Promise.all(Array.from({ length: Number(values.workers) }, work))
line.done()
const inOrder = wanted.flatMap((canary) => caught.find((each) => each.canary === canary) ?? [])
const survivors = inOrder.filter(({ seeds }) => seeds === null)
if (values.json) {
  console.log(JSON.stringify(inOrder.map(({ canary, seeds, law, what }) => ({ name: canary.name, rules: canary.rules, seeds, law, what }))))
} else {
  for (const { canary, seeds, law, what } of inOrder) {
    const found = seeds === null ? `SURVIVED ${SEEDS_MAX} seeds` : `seed ${String(seeds).padStart(4)} by ${law.padEnd(4)}`
    console.log(`${canary.rules.join(' ').padEnd(7)} ${canary.name.padEnd(30)} ${found}  ${canary.what}`)
    if (values.canary !== undefined) console.log(`        ${what}`)
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.log(`\n${inOrder.length - survivors.length} of ${inOrder.length} canaries caught in ${seconds} s`)
}
if (survivors.length > 0 || inOrder.length === 0) process.exitCode = 1
