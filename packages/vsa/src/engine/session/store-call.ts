import type { ExchangeTrace } from '../runtime/exchange-trace.ts'

/** One call of the store, and what is done with its answer. */
export interface StoreCall<T> {
  readonly call: () => Promise<T>
  /** What is wrong with the answer; null when nothing is. */
  readonly faultOf: (answer: unknown) => string | null
  readonly heard: (answer: T, sentAtMs: number) => void
  readonly timeoutMs: number
  /** F8: a late answer counts, though the store may forget. Default false. */
  readonly mayBeLate?: boolean
  /** Absent where nothing listens. */
  readonly trace?: ExchangeTrace | undefined
}

/** A store that throws instead of rejecting has failed as well. */
export function called<T>(call: () => Promise<T>, trace?: ExchangeTrace): Promise<T> {
  const run = async (): Promise<T> => call()
  return trace === undefined ? run() : trace.run(run)
}
