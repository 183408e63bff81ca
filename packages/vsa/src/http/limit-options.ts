import type { Budget, Family } from '../index.ts'
import type { Ended } from './ended.ts'
import type { HeadersMode } from './header-modes.ts'
import type { HttpClock } from './http-clock.ts'
import type { PartitionKey } from './partition-key.ts'

/** What the three middlewares have in common. `Request` is what the framework hands to a handler: a request, or Hono's context. */
export interface LimitOptions<Request> {
  /**
   * One to 16 budgets that a request spends from, all or none of them. Their names stand in headers and problems: 1 to 64 printable ASCII characters.
   * A family gets the client's address as its id.
   */
  readonly budgets: Readonly<Record<string, BudgetChoice<Request> | BudgetTerms<Request>>>
  /**
   * Units of a request, 0 to 2^53 - 1; with `reserve`, the most that it may take. Default 1. A function may be async. Where it throws, or answers anything
   * else than such a number, nothing is spent, the handler does not run, and the framework gets the error.
   */
  readonly cost?: Cost<Request>
  /** Requests that spend nothing and get no headers. May be async. Where it throws, the handler does not run. Default: none. */
  readonly skip?: (request: Request) => boolean | Promise<boolean>
  /** The form of the rate limit headers; false: none, also no `Retry-After`. Default `draft-11`. */
  readonly headers?: HeadersMode
  /** With `headers: 'legacy'`: whether `X-RateLimit-Reset` has seconds since 1970, or from now. Default `epoch`. */
  readonly legacyReset?: 'epoch' | 'delta'
  /**
   * What `pk` of draft-8 and draft-11 carries of the budget's id: the first 12 hexadecimal digits of its SHA-256, as express-rate-limit does; the
   * id itself; or nothing. Default `hash`, because an id may be a secret, such as an API key.
   */
  readonly partitionKey?: PartitionKey
  /**
   * Proxies whose `X-Forwarded-For` is believed: their addresses and prefixes, or how many stand between the app and the internet, 0 to 32. Default
   * false: none, the client is the other end of the socket.
   */
  readonly trustProxy?: false | number | readonly string[]
  /** Addresses of IPv6 with the same first bits count as one client. 32 to 128. Default 56. */
  readonly ipv6Prefix?: number
  /**
   * Whether the units go back, asked once when the response has ended; not asked for requests that were denied or skipped. May be async. Where it throws, nothing
   * goes back, and the error is printed. Default: never.
   */
  readonly refundWhen?: (ended: Ended, request: Request) => boolean | Promise<boolean>
  /** For work whose cost is known afterwards: `cost` is set aside, and `chargeOf(request).meter(units)` says what was used of it. */
  readonly reserve?: ReserveTerms<Request>
  /** For tests: that of `open`. Default: the machine's. */
  readonly clock?: HttpClock
}

/** A budget, a family, or what finds the budget of a request; it may be async. A function that finds none is an error: leave requests out with `skip`. */
export type BudgetChoice<Request> =
  | Budget
  | Family
  | ((request: Request, address: () => string) => Budget | Promise<Budget>)

export interface BudgetTerms<Request> {
  readonly from: BudgetChoice<Request>
  /**
   * With a family: the id of the request's budget. `address()` is the client's address. Ids of more than 256 characters, and those that are no
   * well-formed Unicode, are replaced by their SHA-256. Where it answers no string, or an empty one, nothing is spent, and the framework gets the error.
   */
  readonly by?: (request: Request, address: () => string) => string | Promise<string>
  /** Of this budget. Default: that of the middleware. */
  readonly cost?: Cost<Request>
  /** What a unit is, for `qu` of draft-11: `requests`, `content-bytes`, `concurrent-requests`, or a name of your own. Default: not written, which means requests. */
  readonly unit?: string
}

export type Cost<Request> = number | ((request: Request) => number | Promise<number>)

export interface ReserveTerms<Request> {
  /** The reservation ends so many ms after the decision, whatever the response does: what was metered until then stays spent. 1 to 86,400,000. Default 300,000. */
  readonly ttlMs?: number
  /**
   * Makes it a reservation that the store keeps under this id: it survives this process. Longer ids than 256 characters are replaced by their SHA-256.
   * Put in what you know of the client, such as its account: an id that is the client's alone may be one of another client. While the reservation is
   * open, the same id again is the same reservation, and each request is charged for what it metered; once it has ended, the request gets `id_used` (409).
   * No id is `id_invalid` (400), an id with another cost `id_conflict` (422). Costs a store call before the handler and one after it. Default: in memory.
   */
  readonly id?: (request: Request) => string | undefined
  /** With `id`: what becomes of the units when the process dies. Default `capture`. */
  readonly onExpire?: 'return' | 'capture'
}
