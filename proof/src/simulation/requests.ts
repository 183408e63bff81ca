import { must } from './violation.ts'

/** A call that somebody waits for. */
interface Request {
  readonly what: string
  /** By the process's monotonic clock. */
  readonly dueAtMs: number
  /** How often the process had stood still when it was made. */
  readonly standstills: number
}

/** Deadlines are met to within this, in ms: the sweep's pause, and what is due in the same ms. */
const SLACK_MS = 12

/** Whoever waits for an answer of one process: each must have one by its deadline. */
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

  /** @returns to be called with the answer */
  add(what: string, deadlineMs: number): () => void {
    const request: Request = { what, dueAtMs: this.#monotonic() + deadlineMs, standstills: this.standstills }
    this.#open.add(request)
    return () => {
      this.#open.delete(request)
      this.#assertInTime(request)
    }
  }

  /** L5: nobody is left waiting. */
  assertNone(): void {
    for (const { what } of this.#open) must(false, 'L5', () => `nobody ever answered: ${what}`)
  }

  #assertInTime({ what, dueAtMs, standstills }: Request): void {
    const lateMs = this.#monotonic() - dueAtMs
    must(lateMs <= SLACK_MS || standstills < this.standstills, 'L5', () => `${lateMs} ms late: ${what}`)
  }
}
