import { must } from './violation.ts'

/** A call that waits for its answer. */
interface Request {
  readonly what: string
  /** Keys of the budgets that it asks to admit from. */
  readonly admits: readonly string[]
  /** By the process's monotonic clock. */
  readonly dueAtMs: number
  /** How often the process had been stopped when the call was made. */
  readonly standstills: number
}

/** Deadlines are met to within this, in ms: the pause of the engine's sweep, and what is due in the same ms. */
const SLACK_MS = 12

/** The calls of one process that wait for an answer. O10: each has one by its deadline. */
export class Requests {
  readonly #monotonic: () => number
  readonly #open = new Set<Request>()
  standstills = 0

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  get size(): number {
    return this.#open.size
  }

  /** Whether a call is open that asks to admit from this budget. */
  admits(key: string): boolean {
    for (const { admits } of this.#open) if (admits.includes(key)) return true
    return false
  }

  /** @param admits keys of the budgets that it asks to admit from @returns call it when the answer has arrived */
  add(what: string, deadlineMs: number, admits: readonly string[] = []): () => void {
    const request: Request = { what, admits, dueAtMs: this.#monotonic() + deadlineMs, standstills: this.standstills }
    this.#open.add(request)
    return () => {
      this.#open.delete(request)
      this.#assertInTime(request)
    }
  }

  /** @throws Violation when a call is still open */
  assertNone(): void {
    for (const { what } of this.#open) must(false, 'O10', () => `never answered: ${what}`)
  }

  #assertInTime({ what, dueAtMs, standstills }: Request): void {
    const lateMs = this.#monotonic() - dueAtMs
    must(lateMs <= SLACK_MS || standstills < this.standstills, 'O10', () => `answered ${lateMs} ms late: ${what}`)
  }
}
