/** The least that can decide: check and subtract. What every variant is measured against. */
export interface Cell {
  left: number
}

/** What every cell, and every lease, begins with: more than a run spends, and a small integer to V8. */
export const UNITS = 1_000_000_000

export function makeCells(count: number): readonly Cell[] {
  return Array.from({ length: count }, () => ({ left: UNITS }))
}

/** Costs of the mixed loops: 1 to 4, in no order. */
export const COSTS: Uint8Array = Uint8Array.from(
  { length: 1_024 },
  (_, index) => 1 + ((index * 7_919 + (index >> 3)) & 3),
)
export const COSTS_MASK = 1_023
