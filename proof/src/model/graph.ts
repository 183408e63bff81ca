/** A list of whole numbers that grows, four bytes each. */
export class Numbers {
  #items = new Uint32Array(1 << 16)
  #length = 0

  get length(): number {
    return this.#length
  }

  at(index: number): number {
    return this.#items[index] ?? 0
  }

  push(number: number): void {
    if (this.#length === this.#items.length) {
      const items = new Uint32Array(2 * this.#length)
      items.set(this.#items)
      this.#items = items
    }
    this.#items[this.#length] = number
    this.#length += 1
  }
}

/** The cause of a step: normal progress, a caller's request, or a fault. */
export type Cause = 'course' | 'caller' | 'fault'

/** The search so far: how each state was first reached, and every edge that is not a fault. */
export class Graph {
  /** By state. */
  readonly parent: Numbers = new Numbers()
  readonly step: Numbers = new Numbers()
  /** Targets and sources of edges; the edges of one state are adjacent. */
  readonly #from: Numbers = new Numbers()
  readonly #to: Numbers = new Numbers()
  /** 1 for edges that callers cause. */
  readonly #asked: Numbers = new Numbers()

  /** The next state in order, first reached from `parent` by its step number `step`. */
  addState(parent: number, step: number): void {
    this.parent.push(parent)
    this.step.push(step)
  }

  addWay(from: number, to: number, cause: Exclude<Cause, 'fault'>): void {
    this.#from.push(from)
    this.#to.push(to)
    this.#asked.push(cause === 'caller' ? 1 : 0)
  }

  /** The numbers of the steps that lead to a state from the first one. */
  pathTo(state: number): readonly number[] {
    const path: number[] = []
    for (let at = state; at !== 0; at = this.parent.at(at)) path.push(this.step.at(at))
    return path.reverse()
  }

  /**
   * @param withCallers whether callers may make further requests
   * @returns the first state, breadth first, from which no path leads to any of `goals`; null when every state has one
   */
  firstStranded(goals: readonly number[], withCallers: boolean): number | null {
    const origins = this.#originsByEnd(withCallers)
    const reaches = new Uint8Array(this.parent.length)
    const open = [...goals]
    for (const goal of goals) reaches[goal] = 1
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      for (const origin of origins(state)) {
        if (reaches[origin] === 1) continue
        reaches[origin] = 1
        open.push(origin)
      }
    }
    const stranded = reaches.indexOf(0)
    return stranded < 0 ? null : stranded
  }

  /** The sources of the edges into each state, by a counting sort. */
  #originsByEnd(withCallers: boolean): (state: number) => Uint32Array {
    const isWay = (way: number): boolean => withCallers || this.#asked.at(way) === 0
    const starts = new Uint32Array(this.parent.length + 1)
    for (let way = 0; way < this.#to.length; way += 1) if (isWay(way)) count(starts, this.#to.at(way) + 1, 1)
    for (let state = 1; state < starts.length; state += 1) count(starts, state, starts[state - 1] ?? 0)
    const next = starts.slice()
    const origins = new Uint32Array(starts.at(-1) ?? 0)
    for (let way = 0; way < this.#to.length; way += 1) {
      if (!isWay(way)) continue
      const end = this.#to.at(way)
      origins[next[end] ?? 0] = this.#from.at(way)
      count(next, end, 1)
    }
    return (state) => origins.subarray(starts[state], starts[state + 1])
  }
}

function count(counts: Uint32Array, at: number, by: number): void {
  counts[at] = (counts[at] ?? 0) + by
}
