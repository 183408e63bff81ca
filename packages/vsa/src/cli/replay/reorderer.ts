import { type Timed, TimeHeap } from './time-heap.ts'

/** A request whose time is at most this far behind the latest one is still sorted into its place. */
export const REORDER_WITHIN_MS = 300_000
/** Requests kept in memory at most, in case earlier ones follow. */
const KEPT_MAX = 200_000

/**
 * Sorts requests by time, within a window. Servers log a request when it ends, with the time at which it began, so that lines are often a
 * little out of order. Rotated and merged logs are more so, and some logs begin with their latest line. Equal times keep their order.
 */
export class Reorderer<T extends Timed> {
  readonly #kept = new TimeHeap<T>()
  #latest = Number.NEGATIVE_INFINITY
  #releasedUntil = Number.NEGATIVE_INFINITY
  #outOfOrder = 0
  #tooLate = 0
  #furthestBackMs = 0

  /** Items that came after a later one. */
  get outOfOrder(): number {
    return this.#outOfOrder
  }

  /** Of those, the ones that came too late to be sorted. They are released at once. */
  get tooLate(): number {
    return this.#tooLate
  }

  /** The longest time by which an item was behind the latest one before it. */
  get furthestBackMs(): number {
    return this.#furthestBackMs
  }

  push(item: T): void {
    if (item.at < this.#latest) this.#noteLate(item.at)
    this.#latest = Math.max(this.#latest, item.at)
    this.#kept.push(item)
  }

  /** Removes and returns, in order, the items that can no longer be preceded by an earlier one. */
  takeReady(): readonly T[] {
    const safeUntil = this.#latest - REORDER_WITHIN_MS
    return this.#takeWhile(({ at }) => at <= safeUntil || this.#kept.size > KEPT_MAX)
  }

  /** Removes and returns all items, in order. */
  takeAll(): readonly T[] {
    return this.#takeWhile(() => true)
  }

  #takeWhile(isReady: (item: T) => boolean): readonly T[] {
    const taken: T[] = []
    for (let item = this.#kept.first; item !== undefined && isReady(item); item = this.#kept.first) {
      this.#kept.pop()
      taken.push(item)
    }
    this.#releasedUntil = taken.at(-1)?.at ?? this.#releasedUntil
    return taken
  }

  #noteLate(at: number): void {
    this.#outOfOrder++
    this.#furthestBackMs = Math.max(this.#furthestBackMs, this.#latest - at)
    if (at < this.#releasedUntil) this.#tooLate++
  }
}
