import type { ListedRow, Vsa } from 'vsa'
import type { TestBudget } from './test-budgets.ts'

export interface Drained {
  /** Units by period; 0 for a budget without windows. */
  readonly admitted: ReadonlyMap<number, number>
  /** The period in which one unit was denied. */
  readonly emptyPeriod: number
}

/**
 * L5: admits from a budget until one unit is denied.
 * @param estimate how many units may be left
 */
export async function drain(vsa: Vsa, key: string, budget: TestBudget, estimate: number): Promise<Drained> {
  const handle = vsa.budget(key, budget.policy)
  const admitted = new Map<number, number>()
  for (let guess = estimate; ; guess = Math.floor(guess / 2)) {
    const units = Math.max(1, guess)
    const decision = await handle.decide(units)
    const { period: start = 0 } = decision
    if (!decision.admitted && units === 1) return { admitted, emptyPeriod: start }
    if (!decision.admitted) continue
    const period = budget.isWindowed ? start : 0
    admitted.set(period, (admitted.get(period) ?? 0) + units)
  }
}

/** Units that are neither used nor burned. */
export function unitsLeft({ budget: { minted, used, burned } }: ListedRow): number {
  return minted - used - burned
}
