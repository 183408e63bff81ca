import { describeError } from '../report.ts'
import type { ReplayRequest } from './replay-request.ts'

/** The decisions of a replay. */
export interface DecisionTally {
  readonly admittedRequests: number
  readonly admittedUnits: number
  readonly deniedRequests: number
  readonly deniedUnits: number
  /** Distinct keys. */
  readonly keys: number
  /** The keys with the most units denied, largest first. */
  readonly topDenied: readonly DeniedKey[]
  /** Requests that failed, by error code. None in a correct run. */
  readonly failures: Readonly<Record<string, number>>
}

export interface DeniedKey {
  readonly key: string
  readonly requests: number
  readonly units: number
}

const TOP_MAX = 10

/** Counts decisions. */
export class Decisions {
  readonly #keys = new Set<string>()
  readonly #denied = new Map<string, { requests: number; units: number }>()
  readonly #failures = new Map<string, number>()
  #admittedRequests = 0
  #admittedUnits = 0
  #deniedRequests = 0
  #deniedUnits = 0
  #waiting = 0

  /** Decisions that are not resolved yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Counts `decision` when it is resolved. */
  note(request: ReplayRequest, decision: Promise<boolean>): void {
    this.#keys.add(request.id)
    this.#waiting++
    decision.then(
      (isAdmitted) => (isAdmitted ? this.#admit(request) : this.#deny(request)),
      (error: unknown) => this.#fail(error),
    )
  }

  get tally(): DecisionTally {
    const topDenied = [...this.#denied]
      .map(([key, { requests, units }]) => ({ key, requests, units }))
      .sort((one, other) => other.units - one.units || (one.key < other.key ? -1 : 1))
      .slice(0, TOP_MAX)
    return {
      admittedRequests: this.#admittedRequests,
      admittedUnits: this.#admittedUnits,
      deniedRequests: this.#deniedRequests,
      deniedUnits: this.#deniedUnits,
      keys: this.#keys.size,
      topDenied,
      failures: Object.fromEntries(this.#failures),
    }
  }

  #admit({ cost }: ReplayRequest): void {
    this.#waiting--
    this.#admittedRequests++
    this.#admittedUnits += cost
  }

  #deny({ id, cost }: ReplayRequest): void {
    this.#waiting--
    this.#deniedRequests++
    this.#deniedUnits += cost
    const denied = this.#denied.get(id) ?? { requests: 0, units: 0 }
    denied.requests++
    denied.units += cost
    this.#denied.set(id, denied)
  }

  #fail(error: unknown): void {
    this.#waiting--
    const { code } = describeError(error)
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1)
  }
}
