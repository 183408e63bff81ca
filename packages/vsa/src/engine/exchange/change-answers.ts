import type { ChangeOutcome } from '../../core/reservations/messages.ts'
import { damagedReservationError } from '../api/errors.ts'
import type { ChangeCall } from '../requests/change-calls.ts'
import type { ExchangeParts } from './exchange-parts.ts'

/** In what state the answer found the engine and the store. */
interface AnswerState {
  /** No call may wait for units that other owners may return. */
  readonly closing: boolean
  /** F3: the store grants nothing now. */
  readonly isFrozen: boolean
}

/** What becomes of changes of reservations. */
export class ChangeAnswers {
  readonly #parts: ExchangeParts

  constructor(parts: ExchangeParts) {
    this.#parts = parts
  }

  /** The store has applied them, each once. */
  settle(calls: readonly ChangeCall[], outcomes: readonly ChangeOutcome[], { closing, isFrozen }: AnswerState): void {
    const { changes, metrics } = this.#parts
    // The store looks at the first ones, up to a number of budgets.
    changes.putBack(calls.slice(outcomes.length))
    for (const [index, call] of calls.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined) break
      if (outcome.kind === 'damaged') call.reply.reject(damaged(call, outcome.detail))
      else if (outcome.kind === 'refused' && !closing && (isFrozen || mayComeBack(call))) changes.park(call)
      else {
        if (outcome.kind === 'settled' && !outcome.repeated) metrics.uncoveredUnits += outcome.uncovered
        call.reply.resolve(outcome)
      }
    }
  }

  /** The epoch is over. What was applied has its outcome; all the rest is sent again, because each counts once. */
  fence(calls: readonly ChangeCall[], outcomes: readonly ChangeOutcome[] | undefined): void {
    if (outcomes === undefined) this.#parts.changes.putBack(calls)
    else this.settle(calls, outcomes, { closing: false, isFrozen: false })
  }
}

/** R5: leases of this owner or of others hold units of the budget. */
function mayComeBack({ gate }: ChangeCall): boolean {
  const { row } = gate
  // Of a budget without a row here nothing is known: it goes along the next time.
  return row === null || row.held > 0 || row.figures === null || row.figures.othersHeld > 0
}

function damaged({ change: { key, id } }: ChangeCall, detail: string): Error {
  return damagedReservationError(key, id, detail)
}
