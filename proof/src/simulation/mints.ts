import type { BudgetEntry } from '../../../packages/vsa/dist/index.js'
import type { Scenarios } from './scenarios.ts'
import { must } from './violation.ts'

/** L3: every mint that was applied, by its key and id. */
export class Mints {
  readonly #scenarios: Scenarios
  /** Units, by key and id. */
  readonly #mints = new Map<string, Map<string, number>>()
  /** Ids that counted before their key was deleted. */
  readonly #before = new Map<string, Set<string>>()

  constructor(scenarios: Scenarios) {
    this.#scenarios = scenarios
  }

  /** P6: they may count again. */
  forget(key: string): void {
    const ids = this.#mints.get(key)?.keys() ?? []
    this.#before.set(key, new Set([...(this.#before.get(key) ?? []), ...ids]))
    this.#mints.delete(key)
  }

  /** @returns units that the entry's mint created: once per id, until its key is deleted */
  mint({ key, mint }: BudgetEntry, outcome: string | undefined): number {
    if (mint === undefined) return 0
    const name = JSON.stringify([key, mint.id])
    const ids = this.#mints.get(key) ?? new Map<string, number>()
    const before = ids.get(mint.id)
    if (outcome === 'id_conflict') this.#scenarios.note('30 id conflict')
    if (outcome === 'units_overflow') this.#scenarios.note('30 more than 2^53 - 1')
    if (outcome !== 'minted') {
      const expected = before === undefined ? 'units_overflow' : before === mint.units ? 'repeated' : 'id_conflict'
      must(outcome === expected, 'L3', () => `mint ${name} of ${mint.units} was answered ${outcome}, not ${expected}`)
      return 0
    }
    must(before === undefined, 'L3', () => `mint ${name} counted twice`)
    if (this.#before.get(key)?.has(mint.id) === true) this.#scenarios.note('16 a mint counts again after a deletion')
    this.#mints.set(key, ids.set(mint.id, mint.units))
    return mint.units
  }
}
