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

/** The search so far: how each state was first reached, and every way that leads on without a fault. */
export class Graph {
  /** By state. */
  readonly parent: Numbers = new Numbers()
  readonly step: Numbers = new Numbers()
  /** Ends and beginnings of ways, the ways of one state side by side. */
  readonly #from: Numbers = new Numbers()
  readonly #to: Numbers = new Numbers()

  /** The next state in order, first reached from `parent` by its step number `step`. */
  addState(parent: number, step: number): void {
    this.parent.push(parent)
    this.step.push(step)
  }

  addWay(from: number, to: number): void {
    this.#from.push(from)
    this.#to.push(to)
  }

  /** The numbers of the steps that lead to a state from the first one. */
  pathTo(state: number): readonly number[] {
    const path: number[] = []
    for (let at = state; at !== 0; at = this.parent.at(at)) path.push(this.step.at(at))
    return path.reverse()
  }

  /** @returns the first state, breadth first, from which no way leads to any of `goals`; null when each has one */
  firstStranded(goals: readonly number[]): number | null {
    const states = this.parent.length
    const starts = new Uint32Array(states + 1)
    for (let way = 0; way < this.#to.length; way += 1)
      starts[this.#to.at(way) + 1] = (starts[this.#to.at(way) + 1] ?? 0) + 1
    for (let state = 0; state < states; state += 1) starts[state + 1] = (starts[state + 1] ?? 0) + (starts[state] ?? 0)
    const fill = starts.slice()
    const origins = new Uint32Array(this.#to.length)
    for (let way = 0; way < this.#to.length; way += 1) {
      const place = fill[this.#to.at(way)] ?? 0
      origins[place] = this.#from.at(way)
      fill[this.#to.at(way)] = place + 1
    }
    const reaches = new Uint8Array(states)
    const open = [...goals]
    for (const goal of goals) reaches[goal] = 1
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      for (let at = starts[state] ?? 0; at < (starts[state + 1] ?? 0); at += 1) {
        const origin = origins[at] ?? 0
        if (reaches[origin] === 1) continue
        reaches[origin] = 1
        open.push(origin)
      }
    }
    const stranded = reaches.indexOf(0)
    return stranded < 0 ? null : stranded
  }
}
