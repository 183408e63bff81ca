import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bar, liveLine } from '../../packages/vsa/dist/cli/progress.js'
import { forgettingText, runForgettingSeeds } from './forgetting/run-seeds.ts'
import { parseScript, runCorpus } from './simulation/corpus.ts'
import { drawScript } from './simulation/draw-script.ts'
import { loadLibrary, type Library } from './simulation/library.ts'
import { failureText, missedIn, totalsText } from './simulation/report-text.ts'
import { runScript } from './simulation/run-script.ts'
import { type Failure, failureOf } from './simulation/run-seeds.ts'
import type { Script } from './simulation/script.ts'
import { shorten, traceOf } from './simulation/shorten.ts'
import { addTotals, noTotals } from './simulation/totals.ts'
import { runPool } from './simulation/worker-pool.ts'
import { SHIPPED } from './subject.ts'

/* `npm run sim`: the production engine on a virtual clock, with a simulated network and faults. Exits 1 when a law did not hold. */

/** For so many seeds of the simulation, one of the simulation of a store that forgets. */
const FORGETTING_SHARE = 10

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    script: { type: 'string' },
    trace: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
})

const library = await loadLibrary(SHIPPED)
if (values.script !== undefined) await runOne(scriptIn(values.script), values.script)
else if (values.seed !== undefined) await runOne(drawScript(whole('seed', values.seed)), `seed ${values.seed}`)
else await runMany(whole('seeds', values.seeds), whole('from', values.from))

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} must be a whole number, got ${text}`)
  return value
}

/** A script as the corpus keeps it. */
function scriptIn(file: string): Script {
  const { script } = JSON.parse(readFileSync(file, 'utf8')) as { readonly script: unknown }
  return parseScript(script, file)
}

async function runMany(count: number, from: number): Promise<void> {
  const startedAt = performance.now()
  const corpus = await runCorpus(library)
  if (corpus.failure !== null) {
    const { laws, file, what } = corpus.failure
    console.log(`VIOLATION of ${laws.join(', ')}: corpus/${file} fails again\n${what}`)
    process.exitCode = 1
    return
  }
  const forgetting = await runForgettingSeeds(library, from, Math.ceil(count / FORGETTING_SHARE))
  if (forgetting.failure !== null) {
    console.log(forgetting.failure)
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
  if (failure !== null) return reportFailure(library, failure, drawScript(failure.seed))
  const seconds = (performance.now() - startedAt) / 1_000
  const missed = missedIn(totals)
  if (values.json) {
    console.log(
      JSON.stringify({
        ...totals,
        from,
        seconds,
        corpus: corpus.scripts,
        forgetting: forgetting.totals,
        violations: 0,
        missed,
      }),
    )
  } else {
    console.log(totalsText(totals, seconds))
    console.log(
      `\n${corpus.scripts} scripts of the corpus, and every seed from ${from} to ${from + count - 1}: zero violations`,
    )
    console.log(forgettingText(forgetting.totals))
    for (const scenario of missed) console.log(`NEVER REACHED: ${scenario}`)
  }
  if (missed.length > 0) process.exitCode = 1
}

async function runOne(script: Script, name: string): Promise<void> {
  const startedAt = performance.now()
  const result = await runScript(library, script, values.trace)
  const failure = failureOf(result)
  if (failure !== null) return reportFailure(library, failure, script)
  for (const text of result.trace) console.log(text)
  const totals = noTotals()
  addTotals(totals, { ...result, stores: { [result.store]: 1 } }, 1)
  console.log(totalsText(totals, (performance.now() - startedAt) / 1_000))
  console.log(`\n${name}: zero violations`)
}

async function reportFailure(library: Library, failure: Failure, script: Script): Promise<void> {
  process.exitCode = 1
  if (values.json) {
    console.log(JSON.stringify({ violations: 1, failure }))
    return
  }
  const short = await shorten(library, script, failure.law)
  console.log(failureText(failure, short, await traceOf(library, short)))
}
