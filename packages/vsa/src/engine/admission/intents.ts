import type { NewIntent } from '../../core/intent-writer.ts'
import { checkInTransaction } from '../api/arguments.ts'
import { intentsUnsupportedError } from '../api/errors.ts'
import type { InTransaction, PendingIntent } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Session } from '../session/session.ts'

/** By then the transaction of the user has ended, as a rule: a quiet owner looks whether there is something to apply. */
const APPLIED_AFTER_MS = 1_000

/** Writes what is to count with a transaction of the user's (T1). Nothing is sent to the store, so it goes on after `close`. */
export class Intents {
  readonly #parts: { readonly settings: Settings; readonly session: Session }

  constructor(parts: { readonly settings: Settings; readonly session: Session }) {
    this.#parts = parts
  }

  /** Resolves when the row is inserted. @throws TypeError that names the option; VsaError `intents_unsupported`; what `db` throws */
  async write(intent: NewIntent, options: InTransaction): Promise<PendingIntent> {
    const { settings, session } = this.#parts
    const db = checkInTransaction(options)
    const { intents } = settings.store
    if (intents === undefined) throw intentsUnsupportedError(intent.key)
    await intents.insert(db, intent)
    session.upkeep.due(APPLIED_AFTER_MS)
    return { pending: true }
  }
}
