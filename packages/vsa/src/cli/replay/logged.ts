/** One line of a log, understood or not. Never an error: logs contain anything. */
export type Logged = LoggedRequest | { readonly kind: 'bad'; readonly reason: string }

/** One request that a log tells of. */
export interface LoggedRequest {
  readonly kind: 'request'
  /** When, ms since 1970. */
  readonly at: number
  /** The log knows whole seconds only. */
  readonly isWholeSecond: boolean
  /** Units asked for. */
  readonly cost: number
  /** What a key may be made of, by name. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** A line that cannot be used, and why. */
export function bad(reason: string): Logged {
  return { kind: 'bad', reason }
}
