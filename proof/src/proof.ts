import { parseArgs } from 'node:util'
import { PARTS } from './proof/parts.ts'
import { progressBar } from './proof/progress-bar.ts'
import { runParts, totalsText } from './proof/run-parts.ts'

/* `npm run proof`: the proofs that take minutes. The last line is `N passed, N failed`. Exits 1 when a check failed, or when nothing ran. */

const { values } = parseArgs({ options: { part: { type: 'string', multiple: true } } })
for (const name of values.part ?? []) if (!PARTS.some((part) => part.name === name)) refuse(name)
const parts = PARTS.filter(({ name }) => values.part?.includes(name) ?? true)

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort(signal))
const bar = progressBar(parts)
try {
  const totals = await runParts(parts, {
    signal: stopping.signal,
    print: (text) => bar.print(text),
    onStart: (part) => bar.start(part),
    nowMs: () => performance.now(),
  })
  bar.stop()
  console.log(`\n${totalsText(totals)}`)
  if (totals.failed > 0 || totals.passed === 0) process.exitCode = 1
} catch (error) {
  bar.stop()
  if (!stopping.signal.aborted) throw error
  console.error(`stopped by ${String(stopping.signal.reason)}`)
  process.exitCode = 130
}

function refuse(name: string): never {
  console.error(`--part must be one of ${PARTS.map((part) => part.name).join(', ')}; got ${name}`)
  process.exit(2)
}
