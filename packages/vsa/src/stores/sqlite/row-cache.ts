import type { LoadedBudget } from '../../core/adapter.ts'
import type { Writes } from '../../core/written-rows.ts'
import { isOpen, keysOf, nameOf, type ReservationName } from '../../core/reservations/names.ts'
import type { OwnerRow, ReservationRow } from '../../core/rows.ts'

/** The most budgets kept, and the most counters: about 5 MB. More than that, and all are forgotten. */
const ROWS_MAX = 16_384
/** The most names of reservations kept: those that were made last. About 5 MB. */
const RESERVATIONS_MAX = 8_192

/** The first read of every exchange, before the time is read. */
export interface Opening {
  readonly timeSeen: number
  /** The latest `wanted_until` of any row; 0 where none is wanted. */
  readonly wantedUntil: number
  /** A closed epoch may still have leases. */
  readonly isBurning: boolean
  /** P6: an epoch has yet to hear that leases were deleted. */
  readonly hasDeletions: boolean
  readonly owner: OwnerRow | undefined
}

export type CachedBudget = Omit<LoadedBudget, 'kind' | 'ended' | 'mintedBefore' | 'earlier' | 'isDeleted'>

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
  /** Those that this connection has made or changed, until they are settled. The oldest name first. */
  readonly #reservations = new Map<string, ReservationRow>()

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
    this.#reservations.clear()
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

  /** Undefined when it must be read. */
  reservation({ key, id }: ReservationName): ReservationRow | undefined {
    return this.#reservations.get(nameOf(key, id))
  }

  /** The writes are committed. After those of a join, a close, upkeep or a deletion everything is read again. */
  committed(writes: Writes): void {
    const { owners, removedBudgets, removedOwners, burnedOut, deletion, heardDeletions } = writes
    const removed = removedBudgets.length + removedOwners.length + burnedOut.length + heardDeletions.length
    const isExchange = deletion === null && removed === 0 && owners.every(({ change }) => change === 'renewed')
    if (!isExchange) return this.clear()
    for (const { row } of owners) this.#owners.set(row.epoch, row)
    this.#commitBudgets(writes)
    for (const { key, value } of writes.counters) if (this.#counters.has(key)) this.#counters.set(key, value)
    for (const { row } of writes.reservations) this.#keepReservation(row, row.lots.some(isOpen))
    for (const row of writes.removedReservations) this.#keepReservation(row, false)
  }

  /** A repeat of what is settled is rare. */
  #keepReservation(row: ReservationRow, isKept: boolean): void {
    for (const key of keysOf(row)) {
      const name = nameOf(key, row.id)
      if (isKept) this.#reservations.set(name, row)
      else this.#reservations.delete(name)
    }
    for (const oldest of this.#reservations.keys()) {
      if (this.#reservations.size <= RESERVATIONS_MAX) return
      this.#reservations.delete(oldest)
    }
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
