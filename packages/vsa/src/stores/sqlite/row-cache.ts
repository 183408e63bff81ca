import type { LoadedBudget, Writes } from '../../core/adapter.ts'
import type { OwnerRow } from '../../core/rows.ts'

/** The most budgets kept, and the most counters: about 5 MB. More than that, and all are forgotten. */
const ROWS_MAX = 16_384

/** The first read of every exchange, before the time is read. */
export interface Opening {
  readonly timeSeen: number
  /** The latest `wanted_until` of any row; 0 where none is wanted. */
  readonly wantedUntil: number
  /** A closed epoch may still have leases. */
  readonly isBurning: boolean
  readonly owner: OwnerRow | undefined
}

export type CachedBudget = Omit<LoadedBudget, 'kind' | 'ended' | 'mintedBefore' | 'earlier'>

interface BudgetOfEpoch {
  readonly period: number
  /** `held` and `others` are as this epoch sees them. */
  readonly epoch: number
  budget: CachedBudget
}

/**
 * Rows as this connection last read or committed them, so that an exchange need not read again what it has written itself. Valid while
 * no other connection commits: SQLite tells by `PRAGMA data_version`, which is read in each write transaction, with the lock held.
 */
export class RowCache {
  #version = -1
  #opening: Omit<Opening, 'owner'> | undefined
  readonly #owners = new Map<number, OwnerRow>()
  /** By key: one period of each. */
  readonly #budgets = new Map<string, BudgetOfEpoch>()
  readonly #counters = new Map<string, number>()

  /** @param version the data version of the transaction that begins: another one than before means that others have written */
  begin(version: number): void {
    if (version === this.#version) return
    this.clear()
    this.#version = version
  }

  clear(): void {
    this.#opening = undefined
    this.#owners.clear()
    this.#budgets.clear()
    this.#counters.clear()
  }

  /** Undefined when it must be read. */
  opening(epoch: number): Opening | undefined {
    const owner = this.#owners.get(epoch)
    return this.#opening === undefined || owner === undefined ? undefined : { ...this.#opening, owner }
  }

  /** Undefined when it is not known. */
  owner(epoch: number): OwnerRow | undefined {
    return this.#owners.get(epoch)
  }

  keepOpening({ owner, ...opening }: Opening): void {
    this.#opening = opening
    if (owner !== undefined) this.#owners.set(owner.epoch, owner)
  }

  /** Undefined when it must be read. */
  budget(key: string, period: number, epoch: number): CachedBudget | undefined {
    const cached = this.#budgets.get(key)
    return cached?.period === period && cached.epoch === epoch ? cached.budget : undefined
  }

  /** Not while leases of closed epochs are being burned: those leases are not kept here. */
  keepBudget(key: string, period: number, epoch: number, budget: CachedBudget): void {
    if (this.#budgets.size >= ROWS_MAX) this.#budgets.clear()
    this.#budgets.set(key, { period, epoch, budget })
  }

  /** Undefined when it must be read. */
  counter(key: string): number | undefined {
    return this.#counters.get(key)
  }

  keepCounter(key: string, value: number): void {
    if (this.#counters.size >= ROWS_MAX) this.#counters.clear()
    this.#counters.set(key, value)
  }

  /** The writes are committed. After those of a join, a close or upkeep everything is read again. */
  committed(writes: Writes): void {
    const { owners, removedBudgets, removedOwners, burnedOut } = writes
    const isExchange = owners.every(({ change }) => change === 'renewed')
    if (!isExchange || removedBudgets.length > 0 || removedOwners.length > 0 || burnedOut.length > 0)
      return this.clear()
    for (const { row } of owners) this.#owners.set(row.epoch, row)
    this.#commitBudgets(writes)
    for (const { key, value } of writes.counters) if (this.#counters.has(key)) this.#counters.set(key, value)
  }

  #commitBudgets({ time, budgets, leases }: Writes): void {
    let wantedUntil = this.#opening?.wantedUntil ?? 0
    for (const { row } of budgets) {
      wantedUntil = Math.max(wantedUntil, row.wantedUntil)
      const cached = this.#budgets.get(row.key)
      if (cached?.period === row.period) cached.budget = { ...cached.budget, row }
    }
    for (const { key, period, epoch, held } of leases) {
      const cached = this.#budgets.get(key)
      if (cached?.period !== period) continue
      if (cached.epoch === epoch) cached.budget = { ...cached.budget, held }
      else this.#budgets.delete(key)
    }
    if (this.#opening !== undefined)
      this.#opening = { ...this.#opening, timeSeen: Math.max(this.#opening.timeSeen, time), wantedUntil }
  }
}
