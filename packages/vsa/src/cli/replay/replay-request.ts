/** One request to be replayed. */
export interface ReplayRequest {
  /** The log's time, ms since 1970; never before that of the request before it. */
  readonly at: number
  readonly id: string
  readonly cost: number
}
