import type { Writes } from './written-rows.ts'
import type { IntentWriter } from './intent-writer.ts'
import type { DroppedIntent } from './reservations/intents.ts'

/** T1: tells the engine of intents that can never be applied, when they have been removed for good. */
export class DroppedIntents {
  #listener: (intent: DroppedIntent) => void = () => undefined

  /** The writer of an adapter, for the engine. */
  writer(inner: IntentWriter): IntentWriter {
    return {
      insert: (db, intent) => inner.insert(db, intent),
      onDropped: (listener) => void (this.#listener = listener),
    }
  }

  /** The writes are durable. */
  saved({ droppedIntents }: Writes): void {
    for (const intent of droppedIntents) this.#listener(intent)
  }
}
