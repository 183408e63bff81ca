import type { DroppedIntent, Intent } from './reservations/intents.ts'

/** An open transaction of the user's, on the database of the store. */
export interface UserTransaction {
  /**
   * Runs one statement inside the transaction.
   * @param text with parameters `$1`, `$2` and so on
   * @param values of these parameters, all of them texts
   * @returns what the engine waits for; its value is not used
   */
  executeSql(text: string, values: string[]): PromiseLike<unknown>
}

/** A settlement or a mint that counts when the user's own transaction has been committed (T1). */
export type NewIntent = Pick<Intent, 'op' | 'key' | 'id' | 'units'>

/** Writes intents. For stores in a database that users have transactions of their own in. */
export interface IntentWriter {
  /**
   * Inserts one row through `db`, and does nothing else: it takes no connection of the store and no lock that others wait for. Durable when the
   * transaction of `db` has been committed. Rejects with what `db` throws.
   */
  insert(db: UserTransaction, intent: NewIntent): Promise<void>
  /**
   * T1: hears of each intent that this handle of the store has removed because it can never be applied, once. A later listener replaces an earlier one.
   * Absent where the store cannot tell.
   */
  onDropped?(listener: (intent: DroppedIntent) => void): void
}
