import type { ListedRow, Vsa } from 'vsa'
import type { Subject } from './subjects.ts'

export interface Drained {
  /** Units by period: 0 for a budget without windows. */
  readonly admitted: ReadonlyMap<number, number>
  /** In which not even one unit was left. */
  readonly emptyPeriod: number
}

/** L5: admits from one budget until it says that not even one unit is left. `left` is a guess. */
export async function drain(vsa: Vsa, key: string, { policy, isWindowed }: Subject, left: number): Promise<Drained> {
  const budget = vsa.budget(key, policy)
  const admitted = new Map<number, number>()
  for (let guess = left; ; guess = Math.floor(guess / 2)) {
    const units = Math.max(1, guess)
    const decision = await budget.decide(units)
    if (!decision.admitted && units === 1) return { admitted, emptyPeriod: decision.period }
    if (!decision.admitted) continue
    const period = isWindowed ? decision.period : 0
    admitted.set(period, (admitted.get(period) ?? 0) + units)
  }
}

export function leftOf({ budget: { minted, used, burned } }: ListedRow): number {
  return minted - used - burned
}
