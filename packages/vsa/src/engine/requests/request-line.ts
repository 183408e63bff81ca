import type { PendingRequest, Verdict } from './pending-request.ts'
import type { TurnTime } from './turn-time.ts'

/** Which requests are refused because they would be served too late. */
export interface Shedding {
  readonly msPerRequest: number
  /** Requests that are served before the whole line. */
  readonly servedBefore: number
  /** The verdict of one that has so many of the line before it. */
  readonly refuse: (request: PendingRequest, ahead: number) => Verdict
}

interface LateRequest {
  readonly request: PendingRequest
  /** Requests in the line before it. */
  readonly ahead: number
}

/** Requests in order of arrival. Some may be resolved already. */
export class RequestLine {
  /** From `#head` on; the ones before it have left. */
  #items: PendingRequest[] = []
  #head = 0
  /** Callers of the requests in the line: counted as they come and leave, because to refuse some of a crowd must not take a look at all of it (L8). */
  #callers = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** Undefined when it is empty. */
  get last(): PendingRequest | undefined {
    return this.length > 0 ? this.#items[this.#items.length - 1] : undefined
  }

  push(request: PendingRequest): void {
    this.#items.push(request)
    this.#callers += request.count
  }

  /** The last request has one more caller. */
  joined(): void {
    this.#callers += 1
  }

  putFirst(requests: readonly PendingRequest[]): void {
    this.#callers += callersOf(requests)
    this.#items = requests.concat(this.#items.slice(this.#head))
    this.#head = 0
  }

  /** Hands out requests from the first on while `take` has a place, and the turn time. @returns whether none is left */
  drain(turn: TurnTime, take: (request: PendingRequest) => boolean): boolean {
    for (; this.#head < this.#items.length; this.#head += 1) {
      const request = this.#items[this.#head]
      if (request === undefined) continue
      if (request.state !== 'resolved' && (turn.isOver() || !take(request))) break
      this.#callers -= request.count
    }
    // Those that left are dropped once they are the larger part, so that a request costs no more in a long line than in a short one.
    if (2 * this.#head >= this.#items.length) this.#dropLeft()
    return this.#head === this.#items.length
  }

  /** Requests that would be served after their deadline, the last first. */
  *late({ msPerRequest, servedBefore }: Shedding, nowMs: number): Generator<LateRequest, void, undefined> {
    let ahead = this.#callers
    for (let at = this.#items.length - 1; at >= this.#head; at -= 1) {
      const request = this.#items[at]
      if (request === undefined) continue
      ahead -= request.count
      const isLate = nowMs + (ahead + servedBefore) * msPerRequest >= request.deadlineAtMs
      if (isLate && request.state !== 'resolved') yield { request, ahead }
    }
  }

  /** A list of its own. */
  list(): PendingRequest[] {
    return this.#items.slice(this.#head)
  }

  *values(): Generator<PendingRequest, void, undefined> {
    for (let at = this.#head; at < this.#items.length; at += 1) {
      const request = this.#items[at]
      if (request !== undefined) yield request
    }
  }

  /** Drops those at the end that are resolved. @returns how many */
  dropLast(): number {
    const { length } = this
    while (this.last?.state === 'resolved') this.#callers -= this.#items.pop()?.count ?? 0
    return length - this.length
  }

  /** Drops those at the head that are resolved. */
  dropFirst(): void {
    for (let first = this.#items[this.#head]; first?.state === 'resolved'; first = this.#items[this.#head]) {
      this.#callers -= first.count
      this.#head += 1
    }
    if (2 * this.#head >= this.#items.length) this.#dropLeft()
  }

  dropResolved(): void {
    this.#items = this.list().filter((request) => request.state !== 'resolved')
    this.#head = 0
    this.#callers = callersOf(this.#items)
  }

  #dropLeft(): void {
    if (this.#head > 0) this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}

function callersOf(requests: readonly PendingRequest[]): number {
  let callers = 0
  for (const { count } of requests) callers += count
  return callers
}
