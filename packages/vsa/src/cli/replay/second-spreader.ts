import type { ReplayRequest } from './replay-request.ts'

/** A second with more requests than this is spread in several groups. */
const GROUP_MAX = 100_000

/**
 * Spreads the requests of a second evenly over it, in their order. An access log has whole seconds only: left as they are, all requests of
 * a second would come at one instant, and intervals shorter than a second would seem to save more records than they do.
 */
export class SecondSpreader {
  #group: ReplayRequest[] = []
  #latest = 0

  /** Takes a request, no earlier than the previous one. Returns the requests that are ready. */
  push(request: ReplayRequest, isWholeSecond: boolean): readonly ReplayRequest[] {
    const first = this.#group[0]
    const joins = isWholeSecond && (first === undefined || (first.at === request.at && this.#group.length < GROUP_MAX))
    const ready = joins ? [] : this.end()
    if (!isWholeSecond) return [...ready, this.#placed(request, request.at)]
    this.#group.push(request)
    return ready
  }

  /** Returns the requests that were waiting for others of their second. */
  end(): readonly ReplayRequest[] {
    const group = this.#group
    this.#group = []
    return group.map((request, index) => this.#placed(request, request.at + Math.floor((index * 1_000) / group.length)))
  }

  #placed(request: ReplayRequest, at: number): ReplayRequest {
    this.#latest = Math.max(this.#latest, at)
    return at === request.at && at === this.#latest ? request : { ...request, at: this.#latest }
  }
}
