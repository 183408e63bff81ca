/** Names by time, the earliest first: a binary heap, whose entries that were replaced or deleted are dropped when they come up. */
export class TimeIndex {
  readonly #times = new Map<string, number>()
  #heap: (readonly [time: number, name: string])[] = []

  set(name: string, time: number): void {
    if (this.#times.get(name) === time) return
    this.#times.set(name, time)
    this.#push([time, name])
  }

  delete(name: string): void {
    this.#times.delete(name)
  }

  /** Null when it is empty. */
  get first(): number | null {
    for (;;) {
      const [top] = this.#heap
      if (top === undefined) return null
      if (this.#times.get(top[1]) === top[0]) return top[0]
      this.#pop()
    }
  }

  /** At most `max` names whose time is `time` or before. They stay. */
  upTo(time: number, max: number): readonly string[] {
    const found: (readonly [number, string])[] = []
    while (found.length < max) {
      const first = this.first
      if (first === null || first > time) break
      const top = this.#pop()
      if (top !== undefined) found.push(top)
    }
    for (const entry of found) this.#push(entry)
    return found.map(([, name]) => name)
  }

  #push(entry: readonly [number, string]): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above[0] <= entry[0]) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  #pop(): readonly [number, string] | undefined {
    const heap = this.#heap
    const [top] = heap
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      if (right !== undefined && right[0] < left[0]) child += 1
      const below = heap[child]
      if (below === undefined || below[0] >= last[0]) break
      heap[at] = below
      at = child
    }
    heap[at] = last
    return top
  }
}
