import type { NewIntent } from '../../core/intent-writer.ts'
import type { DropReason } from '../../core/reservations/intents.ts'
import { checkInTransaction } from '../api/arguments.ts'
import { intentsUnsupportedError } from '../api/errors.ts'
import type { InTransaction, PendingIntent } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Session } from '../session/session.ts'

/** What happened, and what to do. */
const ADVICE: Readonly<Record<DropReason, string>> = {
  unknown_id:
    'nothing was settled: no reservation has this id and budget; it was never made, or it ended more than 7 days before. If the work was done, admit its units with an id of its own',
  id_conflict:
    'nothing was minted: this id has minted other units before. If these are due as well, mint them under another id',
  units_overflow: 'nothing was minted: the budget would have minted 2^53 units or more. Mint fewer',
}

/** By then the transaction of the user has ended, as a rule: a quiet owner looks whether there is something to apply. */
const APPLIED_AFTER_MS = 1_000

/** Writes what is to count with a transaction of the user's (T1). Nothing is sent to the store, so it goes on after `close`. */
export class Intents {
  readonly #parts: { readonly settings: Settings; readonly session: Session }

  constructor(parts: { readonly settings: Settings; readonly session: Session }) {
    this.#parts = parts
    const { store, emit } = parts.settings
    store.intents?.onDropped?.(({ op, key, id, units, reason }) => {
      emit({ type: 'intent_dropped', op, key, id, units, reason, detail: ADVICE[reason] })
    })
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

  /** P7: as `write`, of what would have been refused. @throws TypeError that names the option */
  async writeNothing(options: InTransaction): Promise<PendingIntent> {
    checkInTransaction(options)
    return { pending: true }
  }
}
