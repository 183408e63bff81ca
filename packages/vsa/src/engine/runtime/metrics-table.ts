import { Metrics } from './metrics.ts'

/** Families that are counted by themselves. A family that is declared after so many is counted with the others of its kind. */
const POLICIES_MAX = 64
/** The policy of budgets that were declared one by one. A family cannot have such a name: it has a colon. */
const SINGLE = ':single'
/** The policy of the families beyond {@link POLICIES_MAX}. */
const OTHER = ':other'

/**
 * What is counted of each family. A gate counts into the object of its family, as it would into that of the engine: the hot path does the same
 * work. Their number has a bound, so that a sum takes the same time for any number of budgets.
 */
export class MetricsTable {
  /** What belongs to no budget: store calls, records, waiters, counters. */
  readonly engine: Metrics = new Metrics()
  readonly single: Metrics = new Metrics(SINGLE)
  readonly #other = new Metrics(OTHER)
  readonly #families = new Map<string, Metrics>()

  /** Of a family that has been declared. */
  of(name: string): Metrics {
    const known = this.#families.get(name)
    if (known !== undefined) return known
    if (this.#families.size >= POLICIES_MAX) return this.#other
    const made = new Metrics(name)
    this.#families.set(name, made)
    return made
  }

  /** By policy; those that no budget has used are left out, except families. */
  entries(): readonly (readonly [policy: string, metrics: Metrics])[] {
    return [[SINGLE, this.single], [OTHER, this.#other], ...this.#families]
  }

  /** What all of them have spent, taken, denied and given back. */
  total(): Metrics {
    const total = new Metrics()
    for (const metrics of [this.engine, this.single, this.#other, ...this.#families.values()]) total.add(metrics)
    return total
  }
}
