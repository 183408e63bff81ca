import type { Batch, BreachedRow, Entry, VoidEntry } from '../../core/exchange.ts'
import { quarantinedCounterError, quarantinedError } from '../api/errors.ts'
import type { CounterState } from '../budget/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { Confirmations } from './confirmations.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { type InFlightBatch, isLeasedRow, type Run } from './in-flight-batch.ts'
import { RefundSettlement } from './refund-settlement.ts'

/** Sent in the place of an entry that is left out. */
export const VOID: VoidEntry = { kind: 'void' }

/** S6, and failed assertions of this owner: one budget stops, and the others go on. */
export class Quarantine {
  readonly #parts: ExchangeParts
  readonly #confirmations: Confirmations
  readonly #refunds: RefundSettlement

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#confirmations = new Confirmations(parts)
    this.#refunds = new RefundSettlement(parts)
  }

  /** A bug in what is done for one row stops that row, and the others go on. */
  guard(row: LeasedRow | CounterState, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#stop(row, textOf(error))
    }
  }

  /** A bug in what is done for a run stops its rows, and its requests fail. */
  guardRun(run: Run, work: () => void): void {
    try {
      work()
    } catch (error) {
      for (const row of run.rows) this.#stop(row, textOf(error))
      this.#failRun(run)
    }
  }

  /** Nothing more is sent of the row. */
  #stop(row: LeasedRow | CounterState, detail: string): void {
    if (row.isQuarantined) return
    if (isLeasedRow(row)) this.#stopRow(row, detail)
    else this.#stopCounter(row, detail)
  }

  /** The requests that wait for it fail. */
  #stopRow(row: LeasedRow, detail: string): void {
    const { leases, settings, waiting, requests } = this.#parts
    const { held, key, lease } = row
    const error = quarantinedError(key)
    const refundSent = lease.sent?.refund
    const rowRequests = requests.find(row)
    row.lose()
    row.isQuarantined = true
    leases.touch(row, held)
    this.#refunds.drop(row, refundSent)
    for (const { reply } of rowRequests?.mints.takeAll() ?? []) reply.reject(error)
    rowRequests?.takeMintSent()?.reply.reject(error)
    for (const { reply } of [...(rowRequests?.takeCallsSent() ?? []), ...(rowRequests?.calls.takeAll() ?? [])])
      reply.reject(error)
    for (const request of this.#confirmations.takeUnconfirmed(row, 'sent'))
      waiting.resolve(request, { kind: 'failed', error })
    for (const request of this.#confirmations.takeUnconfirmed(row, 'unsent'))
      waiting.resolve(request, { kind: 'failed', error })
    settings.emit({ type: 'quarantined', key, detail })
  }

  /**
   * S6: the row's entry becomes void, the requests that need it fail, and all the rest keeps its place in the batch.
   * @returns what to send instead; null when the batch has no such row
   */
  leaveOut(batch: Batch, inFlight: InFlightBatch | null, name: BreachedRow | undefined, detail: string): Batch | null {
    const index = batch.entries.findIndex((entry) => name !== undefined && isNamed(entry, name))
    return inFlight === null ? null : this.leaveOutAt(batch, inFlight, index, detail)
  }

  /**
   * @param index of the row's entry
   * @param cause text, or what was thrown
   */
  leaveOutAt<Content extends Pick<Batch, 'entries' | 'takes'>>(
    content: Content,
    inFlight: InFlightBatch,
    index: number,
    cause: unknown,
  ): Content | null {
    const row = inFlight.rows[index] ?? null
    if (row === null && inFlight.restated?.[index] === undefined) return null
    if (row !== null) {
      inFlight.rows[index] = null
      this.#stop(row, textOf(cause))
      for (const run of inFlight.runs) if (needsRow(run, row)) this.#failRun(run)
    }
    return {
      ...content,
      entries: content.entries.map((entry, at) => (at === index ? VOID : entry)),
      takes: content.takes.map((take) => (take.need.some(([at]) => at === index) ? { ...take, n: 0 } : take)),
    }
  }

  #failRun({ rows, form, requests }: Run): void {
    const key = rows.find((row) => row.isQuarantined)?.key ?? rows[0]?.key ?? ''
    const overage = form.waterfall?.overage
    const error = overage?.isQuarantined === true ? quarantinedCounterError(overage.key) : quarantinedError(key)
    for (const request of requests) this.#parts.waiting.resolve(request, { kind: 'failed', error })
  }

  /** What was added stays in memory; its readers fail. */
  #stopCounter(counter: CounterState, detail: string): void {
    const { key } = counter
    counter.isQuarantined = true
    counter.pending += counter.sent ?? 0
    counter.sent = null
    for (const reader of [...counter.readersSent.splice(0), ...counter.readers.takeAll()])
      reader.reject(quarantinedCounterError(key))
    this.#parts.settings.emit({ type: 'quarantined', key, detail })
  }
}

function needsRow({ rows, form }: Run, row: LeasedRow | CounterState): boolean {
  return isLeasedRow(row) ? rows.includes(row) : form.waterfall?.overage === row
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isNamed(entry: Entry, { key, period, isCounter }: BreachedRow): boolean {
  if (entry.kind === 'void' || entry.key !== key) return false
  return isCounter === true ? entry.kind === 'counter' : entry.kind === 'budget' && entry.period === period
}
