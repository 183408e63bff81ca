/**
 * What was worked out about a thing before. Most states share their owners and their books with many others, and what an owner or a store does
 * next depends on it alone. A thing that is changed is another thing, with a memo of its own.
 */
export class Memo {
  /** Its name, and the seq from which that counts. */
  code = ''
  base = Number.NaN
  #results: Map<unknown, unknown> | null = null

  /** @param key names the work: the same key, the same work and the same type of result */
  recall<T>(key: unknown, work: () => T): T {
    this.#results ??= new Map<unknown, unknown>()
    const known = this.#results.get(key)
    // As promised by the caller.
    if (known !== undefined) return known as T
    const result = work()
    this.#results.set(key, result)
    return result
  }

  codeFrom(base: number, make: () => string): string {
    if (this.base === base) return this.code
    this.code = make()
    this.base = base
    return this.code
  }
}
