import type { StoreLife } from '../../../packages/vsa/dist/core/adapter.js'
import type { Writes } from '../../../packages/vsa/dist/core/written-rows.js'
import type { Life } from '../../../packages/vsa/dist/core/life.js'
import type { MemoryRows } from '../../../packages/vsa/dist/stores/memory/rows.js'
import type { ForgettingProduction } from './model-production.ts'
import type { ModelState } from './model-world.ts'

/** What the store of a state has: the transactions that it did not lose, as rows of the memory store. */
export class ModelStore {
  readonly #production: ForgettingProduction
  readonly #leaseTtlMs: number
  readonly #rows = new WeakMap<readonly Writes[], MemoryRows>()
  /** What the store had one transaction before. */
  readonly #before = new WeakMap<readonly Writes[], readonly Writes[]>()
  readonly #dumps = new WeakMap<readonly Writes[], string>()

  constructor(production: ForgettingProduction, leaseTtlMs: number) {
    this.#production = production
    this.#leaseTtlMs = leaseTtlMs
  }

  lifeOf(state: ModelState): Life {
    return this.#production.lifeAt(this.#storeLife(state), state.time, this.#leaseTtlMs)
  }

  #storeLife(state: ModelState): StoreLife {
    const kept = this.keptOf(state.saved)
    return {
      ...{ incarnation: nameOf(state), keptIncarnation: kept?.incarnation ?? null },
      ...{ frozenUntil: kept?.frozenUntil ?? 0, mayForget: true },
    }
  }

  keptOf(saved: readonly Writes[]): Writes['life'] {
    return saved.findLast(({ life }) => life !== null)?.life ?? null
  }

  saved(state: ModelState, writes: Writes, life: Life): readonly Writes[] {
    const next = [...state.saved, this.#production.withLife(writes, this.#storeLife(state), life)]
    this.#before.set(next, state.saved)
    return next
  }

  rowsOf(saved: readonly Writes[]): MemoryRows {
    const known = this.#rows.get(saved)
    if (known !== undefined) return known
    const rows = new this.#production.MemoryRows()
    for (const writes of saved) this.#production.save(rows, writes)
    this.#rows.set(saved, rows)
    return rows
  }

  /** Without the last `lost` transactions. */
  without(saved: readonly Writes[], lost: number): readonly Writes[] {
    let kept = saved
    for (let count = 0; count < lost; count += 1) kept = this.#before.get(kept) ?? kept.slice(0, -1)
    return kept
  }

  dump(saved: readonly Writes[], lost: number): string {
    const kept = this.without(saved, lost)
    const known = this.#dumps.get(kept)
    if (known !== undefined) return known
    const rows = this.rowsOf(kept)
    const budgets = rows.budgets()
    const leases = budgets.map((row) => [...rows.leasesOn(row)])
    const dump = kept.length === 0 ? '' : JSON.stringify([budgets, leases, rows.owners(), this.keptOf(kept)])
    this.#dumps.set(kept, dump)
    return dump
  }
}

export function nameOf({ incarnation }: Pick<ModelState, 'incarnation'>): string {
  return `incarnation ${incarnation}`
}
