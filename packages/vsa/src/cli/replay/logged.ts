/** One parsed line of a log. A line that cannot be parsed is no error, because logs may contain anything. */
export type Logged = LoggedRequest | { readonly kind: 'bad'; readonly reason: string }

/** One request of a log. */
export interface LoggedRequest {
  readonly kind: 'request'
  /** Time of the request, ms since 1970. */
  readonly at: number
  /** The log has whole seconds only. */
  readonly isWholeSecond: boolean
  /** In units. */
  readonly cost: number
  /** Fields by name; one of them is the key. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** A line that cannot be used, and why. */
export function bad(reason: string): Logged {
  return { kind: 'bad', reason }
}
