import { drawScript } from './draw-script.ts'
import type { Library } from './library.ts'
import { type RunResult, runScript } from './run-script.ts'
import type { Reported } from './violations.ts'
import { addTotals, noTotals, type Totals } from './totals.ts'

/** A seed that broke a law. */
export interface Failure extends Reported {
  readonly seed: number
  /** Every law that broke in the same event, the first one first. */
  readonly laws: readonly string[]
}

export interface SeedsResult {
  readonly totals: Totals
  /** The first that failed; null when none did. */
  readonly failure: Failure | null
}

/** @returns null where every law held */
export function failureOf({ seed, violations }: Pick<RunResult, 'seed' | 'violations'>): Failure | null {
  const [first] = violations
  if (first === undefined) return null
  return { seed, ...first, laws: [...new Set(violations.map(({ law }) => law))] }
}

/** Runs seed after seed, until one fails. @param onSeed called after each seed */
export async function runSeeds(
  library: Library,
  seeds: Iterable<number>,
  onSeed: () => void = () => undefined,
): Promise<SeedsResult> {
  const totals = noTotals()
  for (const seed of seeds) {
    const result = await runScript(library, drawScript(seed))
    addTotals(totals, { ...result, stores: { [result.store]: 1 } }, 1)
    onSeed()
    const failure = failureOf(result)
    if (failure !== null) return { totals, failure }
  }
  return { totals, failure: null }
}
