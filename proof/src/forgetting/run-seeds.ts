import type { Library } from '../simulation/library.ts'
import { runForgetting } from './run.ts'

export interface ForgettingTotals {
  readonly seeds: number
  readonly losses: number
  readonly admitted: number
  readonly allowed: number
}

/** Runs seed after seed until one fails. */
export async function runForgettingSeeds(
  library: Library,
  from: number,
  count: number,
): Promise<{ readonly totals: ForgettingTotals; readonly failure: string | null }> {
  let totals: ForgettingTotals = { seeds: 0, losses: 0, admitted: 0, allowed: 0 }
  for (let seed = from; seed < from + count; seed += 1) {
    try {
      const { losses, admitted, allowed } = await runForgetting(library, seed)
      totals = {
        seeds: totals.seeds + 1,
        losses: totals.losses + losses,
        admitted: totals.admitted + admitted,
        allowed: totals.allowed + allowed,
      }
    } catch (error) {
      return { totals, failure: `VIOLATION, seed ${seed} of a store that forgets: ${String(error)}` }
    }
  }
  return { totals, failure: null }
}

export function forgettingText({ seeds, losses, admitted, allowed }: ForgettingTotals): string {
  const twice = `${allowed} of ${admitted} admitted units were pulled by owners that did not come back in time`
  return `${seeds} seeds of a store that forgets: ${losses} losses, zero violations; ${twice}`
}
