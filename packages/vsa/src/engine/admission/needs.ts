import { assertUnits, describe } from '../../core/units.ts'
import type { Need } from '../api/public-types.ts'
import { Gate } from '../budget/gate.ts'
import type { SlowPath } from '../budget/slow-path.ts'
import type { GateNeed } from '../requests/pending-request.ts'

/** Budgets that one request may need together. */
export const NEEDS_MAX = 1_000

/**
 * Checks what was asked for; the same budget twice counts once, with the sum.
 * @param batchMax rows that one exchange may carry
 * @param slowPath that of the engine that the budgets must belong to
 * @throws TypeError, RangeError that name the need
 */
export function mergeNeeds(needs: readonly Need[], batchMax: number, slowPath: SlowPath<Gate>): readonly GateNeed[] {
  if (!Array.isArray(needs)) throw new TypeError(`needs must be an array of [budget, units], got ${describe(needs)}`)
  const max = Math.min(NEEDS_MAX, batchMax)
  if (needs.length < 1 || needs.length > max)
    throw new RangeError(`needs must name 1 to ${max} budgets, got ${needs.length}`)
  const sums = new Map<Gate, number>()
  for (const [index, need] of needs.entries()) {
    const parts: readonly unknown[] = Array.isArray(need) ? need : []
    const [budget, units] = parts
    if (!(budget instanceof Gate) || budget.family.slowPath !== slowPath) {
      throw new TypeError(`needs[${index}][0] must be a budget of this engine, got ${describe(budget)}`)
    }
    assertUnits(`needs[${index}][1]`, units)
    const gate = budget.family.live(budget)
    const sum = (sums.get(gate) ?? 0) + units
    assertUnits(`the units of ${JSON.stringify(gate.key)} together`, sum)
    sums.set(gate, sum)
  }
  return [...sums].map(([gate, units]) => ({ gate, units }))
}
