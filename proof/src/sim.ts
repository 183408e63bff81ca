import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bar, liveLine } from '../../packages/vsa/dist/cli/progress.js'
import { runCorpus } from './simulation/corpus.ts'
import { drawScript } from './simulation/draw-script.ts'
import { loadLibrary, type Library } from './simulation/library.ts'
import { runPool } from './simulation/pool.ts'
import { runScript } from './simulation/run-script.ts'
import type { Failure } from './simulation/run-seeds.ts'
import { failureText, missedIn, totalsText } from './simulation/sim-text.ts'
import { shorten, traceOf } from './simulation/shorten.ts'
import { noTotals, addTotals } from './simulation/totals.ts'
import { SHIPPED } from './subject.ts'

/* `npm run sim`: the production engine on a virtual clock, with a simulated network and all that may go wrong. Exits 1 when a law did not hold. */

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
})

const library = await loadLibrary(SHIPPED)
if (values.seed === undefined) await runMany(whole('seeds', values.seeds), whole('from', values.from))
else await runOne(whole('seed', values.seed))

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} must be a whole number, got ${text}`)
  return value
}

async function runMany(count: number, from: number): Promise<void> {
  const startedAt = performance.now()
  const corpus = await runCorpus(library)
  if (corpus.failure !== null) {
    console.log(`VIOLATION of ${corpus.failure.law}: corpus/${corpus.failure.file} fails again\n${corpus.failure.what}`)
    process.exitCode = 1
    return
  }
  const line = liveLine(!values.json)
  let done = 0
  const { totals, failure } = await runPool(
    { folder: SHIPPED, from, count, workers: whole('workers', values.workers) },
    (seeds) => {
      done += seeds
      line.show(() => `${bar(done / count)} ${done} of ${count} seeds`)
    },
  )
  line.done()
  if (failure !== null) return tellFailure(library, failure)
  const seconds = (performance.now() - startedAt) / 1_000
  const missed = missedIn(totals)
  if (values.json) {
    console.log(JSON.stringify({ ...totals, from, seconds, corpus: corpus.scripts, violations: 0, missed }))
  } else {
    console.log(totalsText(totals, seconds))
    console.log(
      `\n${corpus.scripts} scripts of the corpus, and every seed from ${from} to ${from + count - 1}: zero violations`,
    )
    for (const scenario of missed) console.log(`NEVER REACHED: ${scenario}`)
  }
  if (missed.length > 0) process.exitCode = 1
}

async function runOne(seed: number): Promise<void> {
  const startedAt = performance.now()
  const result = await runScript(library, drawScript(seed), values.trace)
  if (result.violation !== null) return tellFailure(library, { seed, ...result.violation })
  for (const text of result.trace) console.log(text)
  const totals = noTotals()
  addTotals(totals, result, 1)
  console.log(totalsText(totals, (performance.now() - startedAt) / 1_000))
  console.log(`\nseed ${seed}: zero violations`)
}

async function tellFailure(library: Library, failure: Failure): Promise<void> {
  process.exitCode = 1
  if (values.json) {
    console.log(JSON.stringify({ violations: 1, failure }))
    return
  }
  const script = await shorten(library, drawScript(failure.seed), failure.law)
  console.log(failureText(failure, script, await traceOf(library, script)))
}
