import type { AppliedAnswer, EntryAnswer, Written } from '../../core/exchange.ts'
import { type CounterState, settleCounter } from '../budget/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { wantMsOf } from '../rows/row-schedule.ts'
import { ChangeAnswers } from './change-answers.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { type InFlightBatch, isLeasedRow } from './in-flight-batch.ts'
import { Quarantine } from './quarantine.ts'
import type { Remembered } from './recollection.ts'
import { RowAnswers } from './row-answers.ts'
import { TakeAnswers } from './take-answers.ts'

/** Takes in the certain answer to a batch: rows first, then the requests that waited for them. A bug stops its row alone. */
export class AnswerHandler {
  readonly #parts: ExchangeParts
  readonly #rows: RowAnswers
  readonly #takes: TakeAnswers
  readonly #changes: ChangeAnswers
  readonly #quarantine: Quarantine

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#rows = new RowAnswers(parts)
    this.#takes = new TakeAnswers(parts)
    this.#changes = new ChangeAnswers(parts)
    this.#quarantine = new Quarantine(parts)
  }

  /** @param closing no request may wait for units that other owners may return */
  settle(batch: InFlightBatch, answer: AppliedAnswer, closing: boolean): void {
    this.count(answer.written)
    const isFrozen = answer.frozenUntil > 0
    this.#settleRows(batch, answer)
    this.#recall(answer)
    for (const [index, run] of batch.runs.entries())
      this.#quarantine.guardRun(run, () => {
        const outcome = answer.credits?.takes[index]
        this.#takes.settle(run, answer.granted[index] ?? 0, outcome, { closing, isFrozen })
      })
    this.#changes.settle(batch.changes, answer.credits?.changes ?? [], { closing, isFrozen })
    const serves = batch.rows.some((row) => isLeasedRow(row) && row.isAwaited && row.lease.left > 0)
    for (const row of batch.rows) if (isLeasedRow(row)) this.#quarantine.guard(row, () => this.#finish(row))
    if (closing || !isFrozen) this.#takes.unpark(closing)
    if (serves) this.#takes.serveFromLeases()
    this.#parts.refundWaits.acknowledged(batch.flushes, batch.rows)
    this.#recollect(batch.restated ?? [], answer)
  }

  /** F5, F10; and once for each answer, what cannot be forgotten any more goes. */
  #recollect(restated: readonly Remembered[], { entries }: AppliedAnswer): void {
    const { recollection, session, settings } = this.#parts
    if (recollection.isEmpty) return
    const nowMs = settings.clock.monotonic()
    for (const [index, row] of restated.entries()) {
      const entry = entries[index]
      const gone = entry?.kind === 'budget' ? entry.minted - entry.pool : null
      recollection.restated(row, gone, nowMs + session.leaseTtlMs)
    }
    // When the batch was sent, the store still had them; when its answer came, it may have had them no more.
    recollection.purge(session.sentAtMs)
  }

  /** L7 */
  count({ records, leaseRecords }: Written): void {
    this.#parts.metrics.records += records
    this.#parts.metrics.leaseRecords += leaseRecords
  }

  #settleRows(batch: InFlightBatch, answer: AppliedAnswer): void {
    const taken = takenUnits(batch, answer)
    const nowMs = this.#parts.settings.clock.monotonic()
    for (const [index, row] of batch.rows.entries()) {
      const entry = answer.entries[index]
      if (row === null || entry === undefined) continue
      this.#quarantine.guard(row, () => {
        if (isLeasedRow(row)) this.#rows.settle(row, entry, { taken: taken.get(row) ?? 0, nowMs })
        else this.#settleCounter(row, entry)
      })
    }
  }

  #settleCounter(counter: CounterState, entry: EntryAnswer): void {
    const { emit } = this.#parts.settings
    if (entry.kind === 'counter') settleCounter(counter, entry.value, entry.overflow, emit)
    else settleCounter(counter, null, false, emit)
  }

  /** O12: other owners want these rows. Leases on them go back with the next exchange. */
  #recall(answer: AppliedAnswer): void {
    if (answer.wanted.length === 0) return
    const { leases, sendQueue, settings } = this.#parts
    const untilMs = settings.clock.monotonic() + wantMsOf(settings.flushIntervalMs)
    for (const { key, period } of answer.wanted) {
      const row = leases.find(key, period)
      if (row === undefined || row.held === 0) continue
      row.schedule.recalledUntilMs = untilMs
      sendQueue.markUrgent(row)
    }
  }

  /** What the answer leaves to be done for the row. */
  #finish(row: LeasedRow): void {
    const { leases, requests, sendQueue, settings } = this.#parts
    row.isAwaited = false
    if (row.lease.refund > 0) sendQueue.markDirty(row)
    const waiting = requests.find(row)
    if ((waiting?.mints.length ?? 0) > 0 || (waiting?.calls.length ?? 0) > 0) sendQueue.markUrgent(row)
    if (row.lease.isDirty && row.isLow) sendQueue.markUrgent(row)
    if (row.isRetired || row.isUnused(settings.clock.monotonic(), settings.flushIntervalMs)) leases.dropIfIdle(row)
  }
}

/** Units that the exchange took and that are used, by row. */
function takenUnits({ runs }: InFlightBatch, { granted, credits }: AppliedAnswer): ReadonlyMap<LeasedRow, number> {
  const taken = new Map<LeasedRow, number>()
  for (const [index, { rows, costs, form }] of runs.entries()) {
    const count = granted[index] ?? 0
    if (count === 0 || form.remember?.as === 'reservation') continue
    const outcome = credits?.takes[index]
    const charged = outcome !== undefined && 'charged' in outcome ? outcome.charged : null
    for (const [at, row] of rows.entries())
      taken.set(row, (taken.get(row) ?? 0) + (charged === null ? count * (costs[at] ?? 0) : (charged[at] ?? 0)))
  }
  return taken
}
