import type { DecisionShare } from '../../core/decision.ts'

/**
 * V3: how much of each part of a decision comes back: of the last source first.
 * @returns the parts that get something, the last one first
 */
export function sharesBack(from: readonly DecisionShare[], units: number): readonly DecisionShare[] {
  const back: DecisionShare[] = []
  let left = units
  for (const share of from.toReversed()) {
    const some = Math.min(left, share.units)
    if (some > 0) back.push({ ...share, units: some })
    left -= some
  }
  return back
}
