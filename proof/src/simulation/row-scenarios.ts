import { limitChangeOf, type Settling } from './applied-batch.ts'
import type { Scenarios } from './scenarios.ts'
import type { RowChange, RowView } from './row-view.ts'

const HOUR_MS = 3_600_000

/** Records the scenarios that are visible in row changes. */
export class RowScenarios {
  readonly #scenarios: Scenarios
  /** By row: its policy versions so far. */
  readonly #versions = new Map<string, Set<number>>()

  constructor(scenarios: Scenarios) {
    this.#scenarios = scenarios
  }

  changed({ name, was, row }: RowChange): void {
    const versions = this.#versions.get(name) ?? new Set<number>()
    this.#versions.set(name, versions.add(row.budget.version))
    if (versions.size >= 3) this.#scenarios.note('28 limits alternate')
    if (was === undefined) this.#made(row)
  }

  #made({ budget }: RowView): void {
    const { endsAt, key, period } = budget
    if (endsAt !== null) {
      const hours = (endsAt - period) / HOUR_MS
      if (hours === 23 || hours === 25) this.#scenarios.note('14 day of 23 or 25 hours')
      if (hours >= 28 * 24 - 1 && hours <= 30 * 24 + 1) this.#scenarios.note('14 month of 28 to 30 days')
      if (hours > 24.8 * 24) this.#scenarios.note('14 period above 24.8 days')
    }
    if (/["\0{}🎟 %]|x{1024}/u.test(key)) this.#scenarios.note('19 nasty key')
  }

  /** @param time store time, ms since 1970 */
  settled(settling: Settling, time: number): void {
    const { row, entry, base, held } = settling
    const { endsAt, pool } = row.budget
    if (limitChangeOf(settling) > 0) this.#scenarios.note('16 limit raised')
    if (pool < 0) this.#scenarios.note('16 limit lowered below what is out')
    if (pool < 0 && row.budget.reserved > 0) this.#scenarios.note('16 limit lowered below what is reserved')
    if (endsAt === null) return
    if (held > base && endsAt - time >= 0 && endsAt - time <= 20) this.#scenarios.note('14 lease just before an edge')
    if (entry.spent > 0 && endsAt <= time) this.#scenarios.note('14 settled after the edge')
  }
}
