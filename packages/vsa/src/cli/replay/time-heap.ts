/** Something with a time. */
export interface Timed {
  /** Ms since 1970. */
  readonly at: number
}

interface Entry<T> {
  readonly item: T
  /** The order of arrival, for equal times. */
  readonly order: number
}

/** A binary heap: hands out the earliest item first, and items of one time in the order in which they came. */
export class TimeHeap<T extends Timed> {
  readonly #entries: Entry<T>[] = []
  #order = 0

  get size(): number {
    return this.#entries.length
  }

  /** The earliest item; undefined when there is none. */
  get first(): T | undefined {
    return this.#entries[0]?.item
  }

  push(item: T): void {
    const entry = { item, order: this.#order++ }
    let place = this.#entries.length
    for (let parent = (place - 1) >> 1; place > 0 && this.#isBefore(entry, parent); parent = (place - 1) >> 1) {
      this.#move(parent, place)
      place = parent
    }
    this.#entries[place] = entry
  }

  /** Removes the earliest item; undefined when there is none. */
  pop(): T | undefined {
    const [first] = this.#entries
    const last = this.#entries.pop()
    if (first === undefined || last === undefined || first === last) return first?.item
    let place = 0
    for (let child = this.#earlierChild(place); !this.#isBefore(last, child); child = this.#earlierChild(place)) {
      this.#move(child, place)
      place = child
    }
    this.#entries[place] = last
    return first.item
  }

  /** The place of the earlier child of `place`; past the end when there is none. */
  #earlierChild(place: number): number {
    const left = 2 * place + 1
    const right = this.#entries[left + 1]
    return right !== undefined && this.#isBefore(right, left) ? left + 1 : left
  }

  /** Also when nothing is at `place`. */
  #isBefore(entry: Entry<T>, place: number): boolean {
    const other = this.#entries[place]
    if (other === undefined) return true
    return entry.item.at === other.item.at ? entry.order < other.order : entry.item.at < other.item.at
  }

  #move(from: number, to: number): void {
    const entry = this.#entries[from]
    if (entry !== undefined) this.#entries[to] = entry
  }
}
