/** Sums of units by name, over a whole run: near 2^53 units a sum may leave the safe integers. */
export class UnitSums {
  readonly #sums = new Map<string, number>()
  readonly #inexact = new Set<string>()
  /** How often a sum has changed. */
  changes = 0

  of(name: string): number {
    return this.#sums.get(name) ?? 0
  }

  add(name: string, units: number): void {
    if (units === 0) return
    this.changes += 1
    const sum = this.of(name) + units
    this.#sums.set(name, sum)
    if (!Number.isSafeInteger(sum)) this.#inexact.add(name)
  }

  isExact(name: string): boolean {
    return !this.#inexact.has(name)
  }

  names(): IterableIterator<string> {
    return this.#sums.keys()
  }
}

/** The totals of one process, from its callers' answers and the store. Nothing comes from the engine's own state. Sums of units by row. */
export class ProcessTotals {
  /** Admitted, as its callers were answered. */
  readonly admitted: UnitSums = new UnitSums()
  /** The part of that which was answered as durable. */
  readonly admittedDurably: UnitSums = new UnitSums()
  /** Refunded by its callers. */
  readonly refunded: UnitSums = new UnitSums()
  /** Refunds that the engine reported as refused. */
  readonly refused: UnitSums = new UnitSums()
  /** Spent and taken by its exchanges, each counted when the store first applied it. */
  readonly settled: UnitSums = new UnitSums()
  /** Refunds that the store accepted from it. */
  readonly accepted: UnitSums = new UnitSums()
  /** Burned units of its leases. */
  readonly burned: UnitSums = new UnitSums()
  /** P6: units of its leases that were deleted, and of which it has not heard. It may spend them. */
  readonly unheard: UnitSums = new UnitSums()
  /** Of those of which it has heard: what it says that it had spent. It is in no account. */
  readonly lost: UnitSums = new UnitSums()
  /** Units that its epochs hold now. */
  readonly held: UnitSums = new UnitSums()
  /** By counter: what callers added, and what its exchanges carried, first applications alone. */
  readonly added: UnitSums = new UnitSums()
  readonly counted: UnitSums = new UnitSums()
  /** Counters that may have taken units which no caller was told of. */
  readonly addedUntold: Set<string> = new Set()
  /** By key: units of requests whose outcome is not known, as of reservations that are asked again. They may have been taken, from an unknown period. */
  readonly unaccounted: UnitSums = new UnitSums()
  /** By key: requests that failed, were denied at their deadline or admitted without a record. Their units may be taken for a while, until they are given back (O10). */
  readonly failed: UnitSums = new UnitSums()
}

/** A budget row's name: the period has no colon, so the first one parts the two. */
export function rowName(key: string, period: number): string {
  return `${period}:${key}`
}

/** The key in a row's name. */
export function keyOf(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** The period in a row's name, ms since 1970. */
export function periodOf(name: string): number {
  return Number(name.slice(0, name.indexOf(':')))
}

/** Whether every sum of these is known to the unit. */
export function areExact(name: string, ...sums: readonly UnitSums[]): boolean {
  return sums.every((sum) => sum.isExact(name))
}
