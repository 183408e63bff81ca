/** One counter, being changed by one exchange. */
export class CounterDraft {
  readonly key: string
  value: number
  readonly #before: number

  constructor(key: string, before: number) {
    this.key = key
    this.value = before
    this.#before = before
  }

  get isChanged(): boolean {
    return this.value !== this.#before
  }

  /** @returns false, and adds nothing, where the sum would leave the safe integers */
  add(units: number): boolean {
    const value = this.value + units
    if (!Number.isSafeInteger(value)) return false
    this.value = value
    return true
  }
}
