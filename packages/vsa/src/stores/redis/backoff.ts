/** The longest pause behind the first conflict, its growth with each further one, and the longest of all, in ms. */
const FIRST_MS = 1
const GROWTH = 2
const PAUSE_MS_MAX = 64

export interface BackoffParts {
  /** In [0, 1). */
  readonly random: () => number
  readonly sleep: (ms: number) => Promise<void>
}

/**
 * The pause before a transaction is tried again because its rows have moved: random, from none to a bound that doubles with each try. Without it two
 * equal processes starve each other on a busy row.
 * @returns takes the number of tries so far, from 1
 */
export function backoff({ random, sleep }: BackoffParts): (tries: number) => Promise<void> {
  return (tries) => sleep(random() * Math.min(PAUSE_MS_MAX, FIRST_MS * GROWTH ** (tries - 1)))
}
