import type { RowFigures } from '../budget/row-view.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { EventSink } from '../runtime/event-sink.ts'

/** What was known of a row before its answer came. */
interface Before {
  /** Null when nothing is known, though the row may have been seen. */
  readonly figures: Pick<RowFigures, 'limit' | 'burned'> | null
  /** Units used before this exchange, as far as this owner can tell. */
  readonly used: number
  /** The row had been seen. */
  readonly known: boolean
}

/** Compares what the store says of a row with what it said before, and raises the events that follow. */
export class AnswerEvents {
  readonly #emit: EventSink
  readonly #thresholds: readonly number[]

  constructor(emit: EventSink, thresholds: readonly number[]) {
    this.#emit = emit
    this.#thresholds = thresholds
  }

  compare(leased: LeasedRow, before: Before, after: RowFigures): void {
    const { key, gate, plan, window } = leased
    const row = { key, period: window.start }
    const { figures } = before
    // P1: another process has changed it while this one used it.
    if (figures !== null && figures.limit !== after.limit && after.limit !== plan.limit)
      this.#emit({ type: 'policy_changed', ...row, from: figures.limit, to: after.limit })
    const isNewLimit = figures === null ? !before.known : figures.limit !== after.limit
    if (isNewLimit && after.limit !== plan.limit) {
      this.#emit({ type: 'policy_conflict', key, declared: plan.limit, holds: after.limit })
    }
    // Of a row that is new to this process, only the state is news: it did not see the units burn.
    const burnedBefore = figures?.burned ?? (before.known ? after.burned : 0)
    if (figures !== null && after.burned > burnedBefore)
      this.#emit({ type: 'burned', ...row, units: after.burned - burnedBefore, burned: after.burned })
    if (after.burned > burnedBefore && burnedBefore < plan.burnMax && after.burned >= plan.burnMax)
      this.#emit({ type: 'burn_limit', ...row, burned: after.burned })
    const thresholds = plan.warnAt ?? this.#thresholds
    for (const fraction of thresholds) {
      const mark = fraction * after.minted
      if (before.used < mark && after.used >= mark && isFirst(leased, after.minted, fraction)) {
        this.#emit({
          type: 'threshold',
          ...row,
          fraction,
          used: after.used,
          limit: after.minted,
          policy: gate.metrics.policy,
        })
      }
    }
  }
}

/** Each threshold is reported once for a row and what it has minted: refunds may take a row below its mark again and again. */
function isFirst({ gate, window }: LeasedRow, minted: number, fraction: number): boolean {
  const history = gate.remember()
  const known = history.reported
  if (known === null || known.window.start !== window.start || known.minted !== minted) {
    history.reported = { window, minted, fractions: [fraction] }
    return true
  }
  if (known.fractions.includes(fraction)) return false
  known.fractions.push(fraction)
  return true
}
