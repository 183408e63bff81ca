import type { LeasedRow } from '../rows/leased-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'

/** O4: what becomes of refunds that travel through the store. */
export class RefundSettlement {
  readonly #parts: ExchangeParts

  constructor(parts: ExchangeParts) {
    this.#parts = parts
  }

  /** What the store did not accept is sent again for one lease lifetime and one flush interval, then given up. */
  settle(row: LeasedRow, sent: number, accepted: number): void {
    const { lease, schedule } = row
    lease.refundsEnded += accepted
    if (accepted === sent) {
      if (lease.refund === 0) schedule.refundGivenUpAtMs = Infinity
      return
    }
    const { settings, session } = this.#parts
    const nowMs = settings.clock.monotonic()
    if (schedule.refundGivenUpAtMs === Infinity)
      schedule.refundGivenUpAtMs = nowMs + session.leaseTtlMs + settings.flushIntervalMs
    if (nowMs < schedule.refundGivenUpAtMs) {
      lease.refused = sent - accepted
      return lease.owe(lease.refused)
    }
    schedule.refundGivenUpAtMs = Infinity
    this.giveUp(row, sent - accepted)
  }

  /** Gives up what waits to be given back, and what was `sent`. */
  drop(row: LeasedRow, sent = 0): void {
    const units = row.lease.refund + sent
    row.lease.refund = 0
    row.lease.refused = 0
    this.giveUp(row, units)
  }

  /** These units are not sent again: they are counted as refused. Where it is not known whether they were accepted, that is the safe side. */
  giveUp({ key, window, lease }: LeasedRow, units: number): void {
    if (units === 0) return
    lease.refundsEnded += units
    this.#parts.metrics.refundsRefused += units
    this.#parts.settings.emit({ type: 'refunds_refused', key, period: window.start, units })
  }
}
