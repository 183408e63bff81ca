import type { BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type { Scenarios } from './scenarios.ts'
import { must } from './violation.ts'

/** L3: every mint that was applied, by its id. */
export class Mints {
  readonly #scenarios: Scenarios
  /** Units, by key and id. */
  readonly #mints = new Map<string, number>()

  constructor(scenarios: Scenarios) {
    this.#scenarios = scenarios
  }

  /** @returns units that the entry's mint created: once per id, for ever */
  mint({ key, mint }: BudgetEntry, outcome: string | undefined): number {
    if (mint === undefined) return 0
    const id = JSON.stringify([key, mint.id])
    const before = this.#mints.get(id)
    if (outcome === 'id_conflict') this.#scenarios.note('30 id conflict')
    if (outcome === 'units_overflow') this.#scenarios.note('30 more than 2^53 - 1')
    if (outcome !== 'minted') {
      const expected = before === undefined ? 'units_overflow' : before === mint.units ? 'repeated' : 'id_conflict'
      must(outcome === expected, 'L3', () => `mint ${id} of ${mint.units} was answered ${outcome}, not ${expected}`)
      return 0
    }
    must(before === undefined, 'L3', () => `mint ${id} counted twice`)
    this.#mints.set(id, mint.units)
    return mint.units
  }
}
