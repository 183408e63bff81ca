/** A list this long, or longer, is looked through for calls that are over. */
const SWEPT_FROM = 32

/**
 * Calls that wait for the next exchange, in order. While the store hangs, those that have timed out are dropped:
 * a list is at most twice as long as calls that still wait, and a few more. O(1) for each call, taken together.
 */
export class CallList<T> {
  readonly #isOver: (call: T) => boolean
  #calls: T[] = []
  #sweptAt = SWEPT_FROM

  constructor(isOver: (call: T) => boolean) {
    this.#isOver = isOver
  }

  /** May count calls that are over. */
  get length(): number {
    return this.#calls.length
  }

  add(call: T): void {
    if (this.#calls.length >= this.#sweptAt) {
      this.#calls = this.#calls.filter((known) => !this.#isOver(known))
      this.#sweptAt = Math.max(SWEPT_FROM, 2 * this.#calls.length)
    }
    this.#calls.push(call)
  }

  /** Before all others. */
  putBack(calls: readonly T[]): void {
    this.#calls = calls.concat(this.#calls)
  }

  some(test: (call: T) => boolean): boolean {
    return this.#calls.some(test)
  }

  /** Takes the first one that is not over; null when there is none. */
  takeFirst(): T | null {
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift())
      if (!this.#isOver(call)) return call
    return null
  }

  /** Takes at most `max` of those that are not over, the first ones first. One copy of the list, however many are taken. */
  takeSome(max: number): T[] {
    const taken: T[] = []
    let at = 0
    for (; at < this.#calls.length && taken.length < max; at += 1) {
      const call = this.#calls[at]
      if (call !== undefined && !this.#isOver(call)) taken.push(call)
    }
    this.#calls = this.#calls.slice(at)
    return taken
  }

  takeAll(): T[] {
    const calls = this.#calls
    this.#calls = []
    this.#sweptAt = SWEPT_FROM
    return calls
  }
}
