import type { Deferred } from './deferred.ts'

/** One counter in memory: what was added and is not durable yet. Kept while there is something to keep, or somebody may ask again soon. */
export interface CounterState {
  readonly key: string
  /** Added since the last send. */
  pending: number
  /** What the exchange under way carries; null when none does. */
  sent: number | null
  /** In the flusher's list. */
  dirty: boolean
  /** No longer in the engine's map: a handle looks its key up again. */
  evicted: boolean
  /** Those who asked for the value since the last send, and those whose answer is under way. */
  readers: Deferred<number>[]
  readersSent: Deferred<number>[]
}
