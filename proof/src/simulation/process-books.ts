/** Sums by name: of all that ever came, so that with units near 2^53 a sum may leave what a number can tell. */
export class Sums {
  readonly #sums = new Map<string, number>()
  readonly #inexact = new Set<string>()

  of(name: string): number {
    return this.#sums.get(name) ?? 0
  }

  add(name: string, units: number): void {
    if (units === 0) return
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

/** One process, as its callers and the store see it; nothing here comes from the engine. Sums of units by row. */
export class ProcessBooks {
  /** What its callers were told is theirs. */
  readonly told: Sums = new Sums()
  /** Of that, what they were told is durable. */
  readonly toldDurable: Sums = new Sums()
  /** What its callers gave back. */
  readonly refunded: Sums = new Sums()
  /** What the engine said it could not give back. */
  readonly refused: Sums = new Sums()
  /** Spent and taken by its exchanges, each counted when the store first applied it. */
  readonly settled: Sums = new Sums()
  /** What the store took back from it. */
  readonly accepted: Sums = new Sums()
  /** What burned of its leases. */
  readonly burned: Sums = new Sums()
  /** What its epochs hold, as of now. */
  readonly held: Sums = new Sums()
  /** By counter: what callers added, and what its exchanges carried, first applications alone. */
  readonly added: Sums = new Sums()
  readonly counted: Sums = new Sums()
  /** By key: what callers were told to go ahead with, without account. It may have been taken all the same, of whichever period. */
  readonly doubtful: Sums = new Sums()
}

/** A budget row's name: the period has no colon, so the first one parts the two. */
export function rowName(key: string, period: number): string {
  return `${period}:${key}`
}

/** Whether every sum of these is known to the unit. */
export function areExact(name: string, ...sums: readonly Sums[]): boolean {
  return sums.every((sum) => sum.isExact(name))
}
