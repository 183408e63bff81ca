/** The smallest state that can decide, by a comparison and a subtraction. The baseline of every variant. */
export interface Cell {
  left: number
}

/** The units of each cell and lease at the start: more than a run spends, and a small integer in V8. */
export const UNITS = 1_000_000_000

export function makeCells(count: number): readonly Cell[] {
  return Array.from({ length: count }, () => ({ left: UNITS }))
}

/** Costs of the mixed loops: 1 to 4, shuffled. */
export const COSTS: Uint8Array = Uint8Array.from(
  { length: 1_024 },
  (_, index) => 1 + ((index * 7_919 + (index >> 3)) & 3),
)
export const COSTS_MASK = 1_023
