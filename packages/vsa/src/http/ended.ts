/** How a response ended. */
export interface Ended {
  /** Of the response, or, where the client hung up before it was made, 499. */
  readonly status: number
  /** All of the response was handed over to the system. False: the client hung up before. */
  readonly completed: boolean
}

/** Of a request whose client hung up before there was a response; the number that nginx uses. */
export const CLIENT_CLOSED: Ended = { status: 499, completed: false }
