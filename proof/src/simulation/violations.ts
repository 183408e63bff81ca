import { Violation } from './violation.ts'

/** How one violation is reported. Plain data. */
export interface Reported {
  /** As in `L1` or `S8`; `assertion` for a failed assertion of the library, `error` for any other exception. */
  readonly law: string
  readonly what: string
}

/** The most errors kept of one run: one event may raise the same error for each of many rows. */
const KEPT_MAX = 50

/** All violations of one run. The run ends with the event in which the first is seen, so that every law that broke in it is reported. */
export class Violations {
  readonly #errors: unknown[] = []
  /** Called with each new violation. */
  onAdded: (error: unknown) => void = () => undefined

  get any(): boolean {
    return this.#errors.length > 0
  }

  add(error: unknown): void {
    if (this.#errors.length < KEPT_MAX) this.#errors.push(error)
    this.onAdded(error)
  }

  /** Runs one check. Its error is recorded, and the caller continues with the next check. */
  attempt(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.add(error)
    }
  }

  /** In the order in which they were seen. */
  reported(): readonly Reported[] {
    return this.#errors.map(reportedOf)
  }
}

function reportedOf(error: unknown): Reported {
  if (error instanceof Violation) return { law: error.law, what: error.message }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
  // The library under test may be a copy, with an `InvariantError` class of its own.
  const isAssertion = error instanceof Error && error.name === 'InvariantError'
  return { law: isAssertion ? 'assertion' : 'error', what }
}
