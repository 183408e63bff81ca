import { VsaError } from '../../core/errors.ts'
import type { EventSink } from '../runtime/event-sink.ts'
import { CallList } from '../runtime/call-list.ts'
import type { Deferred } from '../runtime/deferred.ts'

/** One counter in memory: what was added and is not durable yet. */
export interface CounterState {
  readonly key: string
  /** Added since the last send. */
  pending: number
  /** What the exchange in flight carries; null when none does. */
  sent: number | null
  /** In the send queue. */
  dirty: boolean
  /** S6: its row cannot be read. It is not sent any more, and what is added stays in memory. */
  isQuarantined: boolean
  /** No longer in the engine's map: a handle looks its key up again. */
  evicted: boolean
  /** Reads since the last send, and reads that the exchange in flight answers. */
  readonly readers: CallList<Deferred<number>>
  readersSent: Deferred<number>[]
}

export function counterState(key: string): CounterState {
  return {
    key,
    pending: 0,
    sent: null,
    dirty: false,
    isQuarantined: false,
    evicted: false,
    readers: new CallList(({ settled }) => settled),
    readersSent: [],
  }
}

/**
 * The exchange in flight has its answer.
 * @param value null when the answer does not tell it
 */
export function settleCounter(counter: CounterState, value: number | null, overflow: boolean, emit: EventSink): void {
  if (overflow && counter.sent !== null && counter.sent !== 0) {
    counter.pending += counter.sent
    emit({ type: 'counter_overflow', key: counter.key, pending: counter.pending })
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
