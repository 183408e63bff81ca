import type { BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type { Reached } from './reached.ts'
import { must } from './violation.ts'

/** L3: every mint that counted, by its id. */
export class MintBook {
  readonly #reached: Reached
  /** Units, by key and id. */
  readonly #mints = new Map<string, number>()

  constructor(reached: Reached) {
    this.#reached = reached
  }

  /** @returns units that the entry's mint made: once per id, for ever */
  mint({ key, mint }: BudgetEntry, outcome: string | undefined): number {
    if (mint === undefined) return 0
    const id = JSON.stringify([key, mint.id])
    const before = this.#mints.get(id)
    if (outcome === 'id_conflict') this.#reached.note('30 id conflict')
    if (outcome === 'units_overflow') this.#reached.note('30 more than 2^53 - 1')
    if (outcome !== 'minted') {
      const expected = before === undefined ? 'units_overflow' : before === mint.units ? 'repeated' : 'id_conflict'
      must(outcome === expected, 'L3', () => `mint ${id} of ${mint.units} came to ${outcome}, not ${expected}`)
      return 0
    }
    must(before === undefined, 'L3', () => `mint ${id} counted twice`)
    this.#mints.set(id, mint.units)
    return mint.units
  }
}
