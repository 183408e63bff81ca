import type { Part, PartResult } from './part.ts'

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface RunPartsOptions {
  readonly signal: AbortSignal
  /** Prints a finished line. */
  readonly print: (text: string) => void
  /** Called when a part begins. */
  readonly onStart?: (part: Part) => void
  readonly nowMs: () => number
}

const NAME_WIDTH = 16

/** Runs one part after the other, and prints the result of each. A part that throws, or checks nothing, has failed. */
export async function runParts(parts: readonly Part[], options: RunPartsOptions): Promise<Totals> {
  const totals = { passed: 0, failed: 0, skipped: 0 }
  for (const part of parts) {
    options.onStart?.(part)
    const startedAtMs = options.nowMs()
    const result = await runPart(part, options.signal)
    options.signal.throwIfAborted()
    const failures = result.checks.filter(({ failure }) => failure !== null)
    totals.passed += result.checks.length - failures.length
    totals.failed += failures.length
    totals.skipped += result.skipped.length
    options.print(partText(part, result, (options.nowMs() - startedAtMs) / 1_000))
  }
  return totals
}

/** The last line of the proof. */
export function totalsText({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}

async function runPart(part: Part, signal: AbortSignal): Promise<PartResult> {
  try {
    const result = await part.run(signal)
    if (result.checks.length > 0) return result
    return { ...result, checks: [{ name: 'run', failure: 'nothing was checked' }] }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    return { checks: [{ name: 'run', failure }], skipped: [], summary: 'did not end' }
  }
}

function partText({ name }: Part, { checks, skipped, summary }: PartResult, seconds: number): string {
  const failures = checks.filter(({ failure }) => failure !== null)
  const verdict = failures.length === 0 ? 'passed' : 'FAILED'
  return [
    `${name.padEnd(NAME_WIDTH)}${verdict}  ${seconds.toFixed(1).padStart(6)} s  ${summary}`,
    ...skipped.map((text) => `  skipped: ${text}`),
    ...failures.map((failed) => `  ${failed.name}: ${failed.failure ?? ''}`),
  ].join('\n')
}
