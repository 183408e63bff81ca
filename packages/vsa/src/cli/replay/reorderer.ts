/** A request that was logged this much later than others, by their own times, is still put in its place. */
export const REORDER_WITHIN_MS = 300_000
/** Requests that are kept back at most, to see whether earlier ones follow. */
const KEPT_MAX = 200_000

export interface Timed {
  /** Ms since 1970. */
  readonly at: number
}

/**
 * Puts what comes in some order of time into the right one. Servers log a request when it ends, under the time at which it began, so that
 * lines are often a little out of order; and rotated or merged logs are worse. Equal times keep their order.
 */
export class Reorderer<T extends Timed> {
  /** In order of time. */
  #kept: T[] = []
  #latest = Number.NEGATIVE_INFINITY
  #releasedUntil = Number.NEGATIVE_INFINITY
  #outOfOrder = 0
  #tooLate = 0
  #furthestBackMs = 0

  /** Came behind a later one. */
  get outOfOrder(): number {
    return this.#outOfOrder
  }

  /** Of those, came too late to be put in their place: they are given with the others of their arrival. */
  get tooLate(): number {
    return this.#tooLate
  }

  /** The furthest that any was behind the latest before it. */
  get furthestBackMs(): number {
    return this.#furthestBackMs
  }

  push(item: T): void {
    if (item.at < this.#latest) this.#noteLate(item.at)
    this.#latest = Math.max(this.#latest, item.at)
    const behind = this.#kept.findLastIndex(({ at }) => at <= item.at)
    if (behind === this.#kept.length - 1) this.#kept.push(item)
    else this.#kept.splice(behind + 1, 0, item)
  }

  /** Takes those that no earlier one can precede any more, in order. */
  takeReady(): readonly T[] {
    const safeUntil = this.#latest - REORDER_WITHIN_MS
    const waiting = this.#kept.findIndex(({ at }) => at > safeUntil)
    return this.#take(Math.max(waiting, this.#kept.length - KEPT_MAX))
  }

  /** Takes all that is left, in order. */
  takeAll(): readonly T[] {
    return this.#take(this.#kept.length)
  }

  #take(count: number): readonly T[] {
    const taken = this.#kept.splice(0, count)
    this.#releasedUntil = taken.at(-1)?.at ?? this.#releasedUntil
    return taken
  }

  #noteLate(at: number): void {
    this.#outOfOrder++
    this.#furthestBackMs = Math.max(this.#furthestBackMs, this.#latest - at)
    if (at < this.#releasedUntil) this.#tooLate++
  }
}
