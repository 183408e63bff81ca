import type { BudgetEntry, Take } from '../../src/core/exchange.ts'

/** Where one unit of a budget is: in the pool, spent, burned, or leased by an epoch. */
type Place = 'pool' | 'used' | 'burned' | number

/**
 * The same rules in an independent form: each minted unit is an object with one place, and units move one at a time. So no arithmetic
 * error can lose or create a unit.
 */
export class UnitBooks {
  readonly #rows = new Map<string, Place[]>()
  readonly #minted = new Set<string>()

  count(key: string, place: Place): number {
    return this.#units(key).filter((unit) => unit === place).length
  }

  heldByOthers(key: string, epoch: number): number {
    return this.#units(key).filter((unit) => typeof unit === 'number' && unit !== epoch).length
  }

  /** S3 for one batch. @returns how many of each run of takes were granted, and of each refund accepted */
  apply(
    epoch: number,
    entries: readonly BudgetEntry[],
    takes: readonly Take[],
  ): { granted: number[]; refunded: number[] } {
    const refunded = entries.map((entry) => this.#settle(epoch, entry))
    const granted = takes.map(({ need, n }) => {
      let times = 0
      while (times < n && need.every(([at, cost]) => this.count(keyAt(entries, at), 'pool') >= cost)) {
        for (const [at, cost] of need) this.#move(keyAt(entries, at), 'pool', 'used', cost)
        times += 1
      }
      return times
    })
    for (const { key, hold } of entries) {
      const held = this.count(key, epoch)
      if (hold > held) this.#move(key, 'pool', epoch, hold - held)
      else this.#move(key, epoch, 'pool', held - hold)
    }
    return { granted, refunded }
  }

  /** S8 */
  burn(epoch: number): void {
    for (const key of this.#rows.keys()) this.#move(key, epoch, 'burned', Infinity)
  }

  #settle(epoch: number, { key, policy, mint, spent, refund }: BudgetEntry): number {
    if (!this.#rows.has(key))
      this.#rows.set(
        key,
        Array.from({ length: policy?.limit ?? 0 }, () => 'pool' as const),
      )
    if (mint !== undefined && !this.#minted.has(`${key} ${mint.id}`)) {
      this.#minted.add(`${key} ${mint.id}`)
      this.#rows.set(key, [...this.#units(key), ...Array.from({ length: mint.units }, () => 'pool' as const)])
    }
    this.#move(key, epoch, 'used', spent)
    return this.#move(key, 'used', 'pool', refund)
  }

  /** As many as there are, at most `most`. */
  #move(key: string, from: Place, to: Place, most: number): number {
    const units = this.#units(key)
    let moved = 0
    for (let at = 0; at < units.length && moved < most; at++) {
      if (units[at] !== from) continue
      units[at] = to
      moved += 1
    }
    return moved
  }

  #units(key: string): Place[] {
    return this.#rows.get(key) ?? []
  }
}

function keyAt(entries: readonly BudgetEntry[], at: number): string {
  return entries[at]?.key ?? ''
}
