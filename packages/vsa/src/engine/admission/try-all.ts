import type { Need } from '../api/public-types.ts'
import { Gate } from '../budget/gate.ts'
import type { SlowPath } from '../budget/slow-path.ts'
import { mergeNeeds, NEEDS_MAX } from './needs.ts'
import type { TryAdmission } from './try-admission.ts'

export interface TryAllParts {
  readonly tries: TryAdmission
  /** That of the engine that the budgets must belong to. */
  readonly slowPath: SlowPath<Gate>
}

/** A4: several budgets from memory, in one turn. */
export class TryAll {
  readonly #parts: TryAllParts

  constructor(parts: TryAllParts) {
    this.#parts = parts
  }

  tryAdmitAll(needs: readonly Need[]): boolean {
    const spent = this.#spendRooms(needs)
    if (spent > 0 && spent === needs.length) return true
    this.#putBack(needs, spent)
    const { tries, slowPath } = this.#parts
    return tries.tryAdmitAll(mergeNeeds(needs, NEEDS_MAX, slowPath))
  }

  /** The hot path, as that of a gate. @returns how many needs it has spent: fewer than all where one is not plain, or not covered by its room */
  #spendRooms(needs: readonly Need[]): number {
    const { slowPath } = this.#parts
    let spent = 0
    try {
      if (!(needs.length <= NEEDS_MAX)) return 0
      for (; spent < needs.length; spent += 1) {
        const need = needs[spent]
        if (need === undefined) break
        const gate: unknown = need[0]
        const units = need[1]
        if (!(gate instanceof Gate) || gate.family.slowPath !== slowPath) break
        const room = gate.room - units
        if (!(room >= 0) || units <= 0 || !Number.isInteger(units)) break
        gate.room = room
        if (units !== 1) gate.metrics.surplusUnits += units - 1
      }
    } catch {
      // A BigInt, or no list of pairs: the slow path refuses it.
    }
    return spent
  }

  /** Nothing has run in between. */
  #putBack(needs: readonly Need[], spent: number): void {
    for (let at = 0; at < spent; at += 1) {
      const [gate, units = 0] = needs[at] ?? []
      if (!(gate instanceof Gate)) continue
      gate.room += units
      gate.metrics.surplusUnits -= units - 1
    }
  }
}
