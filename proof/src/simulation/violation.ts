/** A law or rule that did not hold, with the evidence. */
export class Violation extends Error {
  override readonly name: string = 'Violation'
  /** As in `L1` or `S8`. */
  readonly law: string

  constructor(law: string, what: string) {
    super(`${law}: ${what}`)
    this.law = law
  }
}

/** @throws Violation unless it holds */
export function must(holds: boolean, law: string, what: () => string): asserts holds {
  if (!holds) throw new Violation(law, what())
}
