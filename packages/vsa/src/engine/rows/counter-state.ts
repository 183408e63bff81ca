import { VsaError } from '../../core/errors.ts'
import type { Announce } from '../runtime/event-sink.ts'
import type { Deferred } from '../runtime/deferred.ts'

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

/**
 * What the exchange under way carried is certain now.
 * @param value null when the answer could not tell
 */
export function settleCounter(
  counter: CounterState,
  value: number | null,
  overflow: boolean,
  announce: Announce,
): void {
  if (overflow && counter.sent !== null && counter.sent !== 0) {
    counter.pending += counter.sent
    announce({ type: 'counter_overflow', key: counter.key, pending: counter.pending })
  }
  counter.sent = null
  const readers = counter.readersSent
  counter.readersSent = []
  for (const reader of readers) {
    if (value === null)
      reader.reject(new VsaError('store_failed', `counter ${JSON.stringify(counter.key)} could not be read`))
    else reader.resolve(value + counter.pending)
  }
}
