import type { PendingRequest } from './pending-request.ts'
import type { TurnTime } from './turn-time.ts'

/** The most requests that fail in one turn because their time is over (L8): the others fail in the next turns. */
const EXPIRED_MAX = 1_000

/** One look at the deadlines of all requests that wait, in portions: of a long queue, a look at each takes longer than a turn may (L8). */
export class DeadlineSweep {
  readonly #requests: readonly PendingRequest[]
  #next = 0
  #firstAtMs = Infinity
  #hasExpired = false

  /** @param requests those that wait now */
  constructor(requests: readonly PendingRequest[]) {
    this.#requests = requests
  }

  /** When the next sweep is due; Infinity where no deadline is left. */
  get firstAtMs(): number {
    return this.#firstAtMs
  }

  get hasExpired(): boolean {
    return this.#hasExpired
  }

  /** There is a request that it does not look at: one that came since, or the rest of one that was granted in part. */
  dueAt(deadlineAtMs: number): void {
    this.#firstAtMs = Math.min(this.#firstAtMs, deadlineAtMs)
  }

  /** @returns whether it has looked at all of them */
  portion(nowMs: number, turn: TurnTime, expire: (request: PendingRequest) => void): boolean {
    let expired = 0
    for (; this.#next < this.#requests.length; this.#next += 1) {
      if (turn.isOver()) return false
      const request = this.#requests[this.#next]
      if (request === undefined || request.state === 'resolved') continue
      if (request.deadlineAtMs > nowMs) {
        this.dueAt(request.deadlineAtMs)
        continue
      }
      if (expired > 0 && expired + request.count > EXPIRED_MAX) return false
      expired += request.count
      this.#hasExpired = true
      expire(request)
    }
    return true
  }
}
