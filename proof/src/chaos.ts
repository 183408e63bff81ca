import { parseArgs } from 'node:util'
import { runChaos } from './chaos/chaos-run.ts'
import { chaosText } from './chaos/chaos-text.ts'
import { chaosPlan } from './chaos/plans.ts'
import { clearProgress, drawProgress } from './chaos/progress.ts'

/*
 * `npm run chaos -- --minutes 5`: many real processes on one SQLite file are killed, stopped and closed while their clocks jump; then the books are
 * held against what they were told. Exits 1 on any violation, and keeps the file and the tallies then.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    processes: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
})
const PROCESSES_MAX = 64
const seed = whole('seed', values.seed ?? String(Date.now() % 2 ** 31), 0, 2 ** 31)
const processes = whole('processes', values.processes, 1, PROCESSES_MAX)
const ms =
  values.seconds === undefined
    ? amount('minutes', values.minutes ?? '5') * 60_000
    : amount('seconds', values.seconds) * 1_000

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort(signal))
try {
  const plan = chaosPlan(seed, processes, { kind: 'time', ms })
  const report = await runChaos(plan, { signal: stopping.signal, onProgress: drawProgress })
  clearProgress()
  console.log(values.json ? JSON.stringify(report, null, 2) : chaosText(report))
  if (report.violations.length > 0) process.exitCode = 1
} catch (error) {
  clearProgress()
  if (!stopping.signal.aborted) throw error
  console.error(`stopped by ${String(stopping.signal.reason)}; no process is left`)
  process.exitCode = 130
}

function amount(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !(number > 0 && number <= 100_000)) refuse(name, 'a number above 0', text)
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
