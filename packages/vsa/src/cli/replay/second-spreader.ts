import type { ReplayRequest } from './replay-request.ts'

/** More requests than this in one second are spread in parts. */
const GROUP_MAX = 100_000

/**
 * An access log knows whole seconds only. Taken as they stand, all requests of a second would come at one instant, and look as if one write
 * could serve them all; so they are spread evenly over their second, in their order. Whoever flushes more often than once a second then
 * sees no gain that the traffic did not have.
 */
export class SecondSpreader {
  #group: ReplayRequest[] = []
  #latest = 0

  /** Takes a request, no earlier than the one before it; gives those that need not wait for others. */
  push(request: ReplayRequest, isWholeSecond: boolean): readonly ReplayRequest[] {
    const first = this.#group[0]
    const joins = isWholeSecond && (first === undefined || (first.at === request.at && this.#group.length < GROUP_MAX))
    const ready = joins ? [] : this.end()
    if (!isWholeSecond) return [...ready, this.#placed(request, request.at)]
    this.#group.push(request)
    return ready
  }

  /** Gives the requests that were waiting for others of their second. */
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
