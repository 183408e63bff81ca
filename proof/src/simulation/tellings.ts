import type { BudgetRow, Policy } from '../../../packages/vsa/dist/index.js'
import { areExact, type ProcessBooks, rowName, Sums } from './process-books.ts'
import type { BudgetSetting, Setting } from './script.ts'
import { must } from './violation.ts'

/** An independent count of what all callers were told, held to the laws at every word. */
export class Tellings {
  readonly #budgets: ReadonlyMap<string, BudgetSetting>
  readonly told: Sums = new Sums()
  readonly refunded: Sums = new Sums()
  /** By key: what mints have asked for so far, the most for each id. */
  readonly #minted = new Map<string, Map<string, number>>()
  /** The most that each row has minted. */
  readonly #mintedMost = new Map<string, number>()

  constructor(setting: Setting) {
    this.#budgets = new Map(setting.budgets.map((budget) => [budget.key, budget]))
  }

  /** A caller was told that the units are his. */
  admitted(books: ProcessBooks, key: string, period: number, units: number, durable: boolean): void {
    const name = rowName(key, period)
    this.told.add(name, units)
    books.told.add(name, units)
    if (durable) books.toldDurable.add(name, units)
    this.#assertBound(name, key)
    this.assertCovered(books, name)
    const lacking = books.toldDurable.of(name) - books.refunded.of(name) - books.settled.of(name)
    must(!durable || lacking <= 0, 'O9', () => `${name}: ${lacking} units were told to be durable, and are not`)
  }

  /** A caller gives units back: they count from the call, which is the weaker claim for L1 and the stronger one for the books at the end. */
  gaveBack(books: ProcessBooks, key: string, period: number, units: number): void {
    const name = rowName(key, period)
    this.refunded.add(name, units)
    books.refunded.add(name, units)
  }

  mints(key: string, id: string, units: number): void {
    const ids = this.#minted.get(key) ?? new Map<string, number>()
    ids.set(id, Math.max(ids.get(id) ?? 0, units))
    this.#minted.set(key, ids)
  }

  /** The store has changed a row; it may be gone again by the end of the same transaction. */
  saw({ key, period, minted }: BudgetRow): void {
    const name = rowName(key, period)
    this.#mintedMost.set(name, Math.max(minted, this.#mintedMost.get(name) ?? 0))
    this.#assertBound(name, key)
  }

  /** L1: never more than the policy and the mints allow, nor than the store has minted. */
  #assertBound(name: string, key: string): void {
    const net = this.told.of(name) - this.refunded.of(name)
    const setting = this.#budgets.get(key)
    if (setting === undefined || !areExact(name, this.told, this.refunded)) return
    let bound = Math.max(...setting.policies.map(unitsOf))
    for (const units of this.#minted.get(key)?.values() ?? []) bound += units
    must(net <= bound, 'L1', () => `${name}: ${net} units were told to be admitted, and there are ${bound}`)
    const most = this.#mintedMost.get(name) ?? 0
    must(net <= most, 'L1', () => `${name}: ${net} units were told to be admitted, and ${most} were minted`)
  }

  /** Every unit that a process told is settled by it, leased to it, or burned with it. */
  assertCovered(books: ProcessBooks, name: string): void {
    if (!areExact(name, books.told, books.refunded, books.settled)) return
    const net = books.told.of(name) - books.refunded.of(name)
    const [settled, held, burned] = [books.settled.of(name), books.held.of(name), books.burned.of(name)]
    must(
      net <= settled + held + burned,
      'L1',
      () =>
        `${name}: a process has told ${net} units, of which ${settled} are settled, ${held} leased, ${burned} burned`,
    )
  }
}

function unitsOf(policy: Policy): number {
  return 'initial' in policy ? policy.initial : policy.limit
}
