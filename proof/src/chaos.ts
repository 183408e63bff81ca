import { SingleBar } from 'cli-progress'
import { parseArgs } from 'node:util'
import type { Until } from './chaos/chaos-plan.ts'
import { chaosPlan } from './chaos/chaos-plans.ts'
import type { StoreKind } from './chaos/chaos-store.ts'
import { runChaos } from './chaos/chaos-run.ts'
import { chaosText } from './chaos/chaos-text.ts'

/*
 * `npm run chaos -- --minutes 5`: many real processes on one store are killed, paused and closed while their clocks jump. With `--store postgres` or `redis`
 * the server is killed as well, again and again, or stopped for a while by SIGSTOP. Then the store is compared to what they were answered. Exits 1 on a
 * violation, and then keeps the file and the call logs.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    kills: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    processes: { type: 'string', default: '8' },
    store: { type: 'string', default: 'sqlite' },
    json: { type: 'boolean', default: false },
  },
})
const AMOUNT_MAX = 100_000
const PROCESSES_MAX = 64
const seed = whole('seed', values.seed, 0, 2 ** 31)
const plan = chaosPlan(seed, whole('processes', values.processes, 1, PROCESSES_MAX), until(), storeKind())

const bar = new SingleBar({ format: '[{bar}] {percentage} %, {kills} kills', clearOnComplete: true, hideCursor: true })
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort(signal))
if (!values.json) bar.start(1, 0, { kills: 0 })
try {
  const report = await runChaos(plan, {
    signal: stopping.signal,
    onProgress: (fraction, kills) => bar.update(Math.min(1, fraction), { kills }),
  })
  bar.stop()
  console.log(values.json ? JSON.stringify(report, null, 2) : chaosText(report))
  if (report.violations.length > 0) process.exitCode = 1
} catch (error) {
  bar.stop()
  if (!stopping.signal.aborted) throw error
  console.error(`stopped by ${String(stopping.signal.reason)}; no process is left`)
  process.exitCode = 130
}

/** The end of the run: a number of kills, or a time. */
function until(): Until {
  if (values.kills !== undefined) return { kind: 'kills', count: whole('kills', values.kills, 1, AMOUNT_MAX) }
  if (values.seconds !== undefined) return { kind: 'time', ms: amount('seconds', values.seconds) * 1_000 }
  return { kind: 'time', ms: amount('minutes', values.minutes) * 60_000 }
}

function storeKind(): StoreKind {
  const { store } = values
  if (store !== 'sqlite' && store !== 'postgres' && store !== 'redis')
    refuse('store', 'sqlite, postgres or redis', store)
  return store
}

function amount(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !(number > 0 && number <= AMOUNT_MAX)) refuse(name, 'a number above 0', text)
  return number
}

function whole(name: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (text.trim() === '' || !Number.isInteger(number) || number < min || number > max)
    refuse(name, `a whole number from ${min} to ${max}`, text)
  return number
}

function refuse(name: string, wanted: string, got: string): never {
  console.error(`--${name} must be ${wanted}, got ${got}`)
  process.exit(2)
}
