import { assertUnits, describe } from '../../core/units.ts'
import type { Need, Source } from '../api/public-types.ts'
import { Gate } from '../budget/gate.ts'
import type { SlowPath } from '../budget/slow-path.ts'
import { type GateNeed, Waterfall } from '../requests/pending-request.ts'
import type { CounterState } from '../budget/counter-state.ts'

/** Budgets that one request may need together. */
export const NEEDS_MAX = 1_000

/** V1: budgets in order, each with the units of the whole request, and what is left over. */
export interface Sources {
  readonly needs: readonly GateNeed[]
  readonly waterfall: Waterfall
}

/**
 * Checks the sources of a waterfall.
 * @param counterOf finds the state of a counter of this engine; null for anything else
 * @throws TypeError, RangeError that name the argument
 */
export function sourcesFrom(
  sources: readonly Source[],
  units: number,
  { batchMax, slowPath, counterOf }: SourceParts,
): Sources {
  if (!Array.isArray(sources)) throw new TypeError(`sources must be an array of budgets, got ${describe(sources)}`)
  assertUnits('units', units)
  const max = Math.min(NEEDS_MAX, batchMax)
  if (sources.length < 1 || sources.length > max)
    throw new RangeError(`sources must name 1 to ${max} budgets, got ${sources.length}`)
  const last: unknown = sources.at(-1)
  const overage = last instanceof Gate ? null : counterOf(last)
  const budgets: readonly unknown[] = overage === null ? sources : sources.slice(0, -1)
  const gates = new Set<Gate>()
  for (const [index, budget] of budgets.entries()) {
    if (!(budget instanceof Gate) || budget.family.slowPath !== slowPath)
      throw new TypeError(
        `sources[${index}] must be a budget of this engine, or, as the last one, a counter, got ${describe(budget)}`,
      )
    const gate = budget.family.live(budget)
    if (gates.has(gate)) throw new RangeError(`sources[${index}] is there twice: ${JSON.stringify(gate.key)}`)
    if (gate.plan.shadow)
      throw new TypeError(`sources[${index}] is on trial (shadow), and can be no source: ${JSON.stringify(gate.key)}`)
    gates.add(gate)
  }
  if (gates.size === 0) throw new RangeError('sources must name at least one budget')
  return { needs: [...gates].map((gate) => ({ gate, units })), waterfall: new Waterfall(units, overage) }
}

/** What the sources are checked by. */
export interface SourceParts {
  /** Rows that one exchange may carry. */
  readonly batchMax: number
  /** That of the engine that the budgets must belong to. */
  readonly slowPath: SlowPath<Gate>
  readonly counterOf: (counter: unknown) => (() => CounterState) | null
}

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
