import type { PendingRequest } from '../requests/pending-request.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'

/** O9: durable admissions that were spent from a lease and wait for the exchange that carries the spending. */
export class Confirmations {
  readonly #parts: ExchangeParts

  constructor(parts: ExchangeParts) {
    this.#parts = parts
  }

  /** What the exchange carried of the lease's spending is durable. */
  confirmAll(row: LeasedRow): void {
    const requests = this.#parts.requests.find(row)
    if (requests === undefined) return
    const confirmed = requests.takeSent()
    this.#parts.waiting.arrived(confirmed)
    for (const request of confirmed) this.#confirm(request, row)
  }

  /** Takes back requests whose spending will not be confirmed: they no longer count as admitted. */
  takeUnconfirmed(row: LeasedRow, which: 'sent' | 'unsent'): readonly PendingRequest[] {
    const requests = this.#parts.requests.find(row)
    if (requests === undefined) return []
    const found = which === 'sent' ? requests.takeSent() : requests.takeUnsent()
    this.#parts.waiting.arrived(found)
    for (const request of found) this.#uncount(request)
    return found
  }

  /** O10: a request that was resolved otherwise meanwhile is refunded. */
  #confirm(request: PendingRequest, row: LeasedRow): void {
    if (request.state !== 'resolved') return this.#parts.waiting.resolve(request, { kind: 'admitted', row })
    this.#uncount(request)
    row.lease.owe(request.needs[0]?.units ?? 0)
    this.#parts.sendQueue.markDirty(row)
  }

  /** The units are counted as spent from the lease, but the caller was not given them. */
  #uncount({ needs }: PendingRequest): void {
    const [need] = needs
    if (need === undefined) return
    need.gate.metrics.takes -= 1
    need.gate.metrics.takenUnits -= need.units
  }
}
