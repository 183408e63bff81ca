/**
 * Results that were computed before, for one owner or one store state. Most states share them with many others, and the next steps of an
 * owner or a store depend on it alone. A changed owner or store state is a new object with a new memo.
 */
export class Memo {
  /** The name of its object, and the seq from which that name counts. */
  code = ''
  base = Number.NaN
  #results: Map<unknown, unknown> | null = null

  /** @param key names the computation: equal keys mean the same computation and result type */
  recall<T>(key: unknown, work: () => T): T {
    this.#results ??= new Map<unknown, unknown>()
    const known = this.#results.get(key)
    // The caller guarantees the type, see `key`.
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
