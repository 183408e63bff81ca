import type { Batch, BreachedRow, Entry } from '../../core/exchange.ts'
import { quarantinedCounterError, quarantinedError } from '../api/errors.ts'
import type { CounterState } from '../rows/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { Confirmations } from './confirmations.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { type InFlightBatch, isLeasedRow } from './in-flight-batch.ts'
import { RefundSettlement } from './refund-settlement.ts'

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

  /** Nothing more is sent of the row, and the requests that wait for it fail. */
  quarantine(row: LeasedRow, detail: string): void {
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
    const row = inFlight?.rows[index]
    if (inFlight === null || row === null || row === undefined) return null
    inFlight.rows[index] = null
    if (isLeasedRow(row)) this.#leaveOutRow(row, inFlight, detail)
    else this.#quarantineCounter(row, detail)
    return {
      ...batch,
      entries: batch.entries.map((entry, at) => (at === index ? { kind: 'void' } : entry)),
      takes: batch.takes.map((take) => (take.need.some(([at]) => at === index) ? { ...take, n: 0 } : take)),
    }
  }

  #leaveOutRow(row: LeasedRow, inFlight: InFlightBatch, detail: string): void {
    for (const run of inFlight.runs) {
      if (!run.rows.includes(row)) continue
      for (const request of run.requests)
        this.#parts.waiting.resolve(request, { kind: 'failed', error: quarantinedError(row.key) })
    }
    this.quarantine(row, detail)
  }

  /** What was added stays in memory; its readers fail. */
  #quarantineCounter(counter: CounterState, detail: string): void {
    const { key } = counter
    counter.isQuarantined = true
    counter.pending += counter.sent ?? 0
    counter.sent = null
    for (const reader of [...counter.readersSent.splice(0), ...counter.readers.takeAll()])
      reader.reject(quarantinedCounterError(key))
    this.#parts.settings.emit({ type: 'quarantined', key, detail })
  }
}

function isNamed(entry: Entry, { key, period, isCounter }: BreachedRow): boolean {
  if (entry.kind === 'void' || entry.key !== key) return false
  return isCounter === true ? entry.kind === 'counter' : entry.kind === 'budget' && entry.period === period
}
