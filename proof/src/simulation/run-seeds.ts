import { drawScript } from './draw-script.ts'
import type { Library } from './library.ts'
import { runScript } from './run-script.ts'
import { addTotals, noTotals, type Totals } from './totals.ts'

/** A seed that broke a law. */
export interface Failure {
  readonly seed: number
  readonly law: string
  readonly what: string
}

export interface SeedsResult {
  readonly totals: Totals
  /** The first that failed; null when none did. */
  readonly failure: Failure | null
}

/** Runs seed after seed, until one fails. @param told after each seed */
export async function runSeeds(
  library: Library,
  seeds: Iterable<number>,
  told: (totals: Totals) => void = () => undefined,
): Promise<SeedsResult> {
  const totals = noTotals()
  for (const seed of seeds) {
    const result = await runScript(library, drawScript(seed))
    addTotals(totals, result, 1)
    told(totals)
    if (result.violation !== null) return { totals, failure: { seed, ...result.violation } }
  }
  return { totals, failure: null }
}
