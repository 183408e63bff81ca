/** What can be in one {@link TouchOrder}: the order is kept in the items, because a set of them would take three times as much memory. */
export interface Touched<T> {
  /** The one that was touched next before; null for the first of all, and for one that is in no order. */
  older: T | null
  /** The one that was touched next after. */
  newer: T | null
}

/**
 * Items in the order in which they were last touched. They may be added, touched and removed while an iteration goes on, which then behaves
 * like that of a `Set`: an item that was removed is not visited, and one that was touched is visited at its new place.
 */
export class TouchOrder<T extends Touched<T>> {
  #oldest: T | null = null
  #newest: T | null = null
  #size = 0
  readonly #walks = new Set<Walk<T>>()

  get size(): number {
    return this.#size
  }

  has(item: T): boolean {
    return item.older !== null || this.#oldest === item
  }

  /** Adds it, or moves it to the end. */
  touch(item: T): void {
    if (this.has(item)) this.#takeOut(item)
    item.older = this.#newest
    if (this.#newest === null) this.#oldest = item
    else this.#newest.newer = item
    this.#newest = item
    this.#size += 1
    for (const walk of this.#walks) walk.next ??= item
  }

  /** @returns false where it is not in the order */
  delete(item: T): boolean {
    if (!this.has(item)) return false
    this.#takeOut(item)
    return true
  }

  /** The longest untouched first. To end one early, call its `return`, as `for` does. */
  *values(): Generator<T, void, undefined> {
    const walk: Walk<T> = { next: this.#oldest }
    this.#walks.add(walk)
    try {
      while (walk.next !== null) {
        const item = walk.next
        walk.next = item.newer
        yield item
      }
    } finally {
      this.#walks.delete(walk)
    }
  }

  #takeOut(item: T): void {
    const { older, newer } = item
    for (const walk of this.#walks) if (walk.next === item) walk.next = newer
    if (older === null) this.#oldest = newer
    else older.newer = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    item.older = null
    item.newer = null
    this.#size -= 1
  }
}

/** An iteration that goes on. */
interface Walk<T> {
  next: T | null
}
