import { closedError, quarantinedError, rowLostError } from '../api/errors.ts'
import { type PendingRequest, unitsOf, type Verdict } from '../requests/pending-request.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import type { Run } from './in-flight-batch.ts'
import { isLost, wasEarly } from './row-absence.ts'

/** In what state the answer found the engine and the store. */
interface AnswerState {
  /** No request may wait for units that other owners may return. */
  readonly closing: boolean
  /** F3: the store has forgotten writes, and grants nothing now. */
  readonly isFrozen: boolean
}

/** What becomes of the requests that took from rows: granted, denied, or waiting for units that other owners may return. */
export class TakeAnswers {
  readonly #parts: ExchangeParts

  constructor(parts: ExchangeParts) {
    this.#parts = parts
  }

  /** @param granted how many requests of the run the store granted */
  settle(run: Run, granted: number, state: AnswerState): void {
    this.#parts.waiting.arrived(run.requests)
    for (const row of run.rows) row.takers -= run.count
    const again: PendingRequest[] = []
    for (const request of this.grant(run, granted)) {
      if (request.state === 'resolved') continue
      if (!this.#denyOrPark(request, run.rows, state)) again.push(request)
    }
    this.#parts.waiting.requeue(again)
  }

  /**
   * The store has given their units to the first `granted` callers of the run.
   * @returns the requests of the others
   */
  grant({ requests, rows }: Run, granted: number): readonly PendingRequest[] {
    const admitted: Verdict = { kind: 'admitted', row: rows[0] ?? null, rows }
    const others: PendingRequest[] = []
    let left = granted
    for (const request of requests) {
      const callers = Math.min(left, request.count)
      left -= callers
      if (callers < request.count)
        others.push(callers > 0 && request.state !== 'resolved' ? request.split(callers) : request)
      if (callers > 0) this.#grantOne(request, callers, rows, admitted)
    }
    return others
  }

  /** O10: a request that was resolved otherwise meanwhile is refunded. */
  #grantOne(request: PendingRequest, callers: number, rows: readonly LeasedRow[], admitted: Verdict): void {
    const { waiting, metrics, sendQueue } = this.#parts
    if (request.state === 'resolved' && !request.unaccounted) {
      for (const [index, row] of rows.entries()) {
        const units = request.needs[index]?.units ?? 0
        row.lease.owe(callers * units)
        sendQueue.markDirty(row)
      }
      return
    }
    metrics.takes += callers
    metrics.takenUnits += callers * unitsOf(request.needs)
    waiting.resolve(request, admitted)
  }

  /** The row was refused: the request goes again with the next flush, or fails. */
  retryLater(request: PendingRequest, row: LeasedRow, closing = false): void {
    const { waiting, session } = this.#parts
    if (isLost(row, session.time)) waiting.resolve(request, { kind: 'failed', error: rowLostError(row.key) })
    else if (closing) waiting.resolve(request, { kind: 'failed', error: closedError(row.key) })
    else if (request.state !== 'resolved') waiting.park(request)
  }

  /** Parked requests go again at once where the pools cover them now. */
  unpark(closing: boolean): void {
    const { waiting } = this.#parts
    if (waiting.parked === 0) return
    waiting.unpark(({ needs }) => closing || needs.every(({ gate, units }) => (gate.row?.figures?.pool ?? 0) >= units))
  }

  /** A lease that has come may serve requests that were queued while the exchange was in flight. */
  serveFromLeases(): void {
    const { waiting, leases, sendQueue, metrics } = this.#parts
    waiting.visit((request) => {
      const [need, second] = request.needs
      if (request.durable || second !== undefined || need === undefined) return
      const row = leases.current(need.gate.family.live(need.gate))
      if (row.lease.left < need.units) return
      row.lease.left -= need.units
      if (need.units !== 1) metrics.surplusUnits += need.units - 1
      sendQueue.markDirty(row)
      row.lease.settleFloor()
      waiting.resolve(request, { kind: 'admitted', row })
    })
  }

  /** @returns false when the request is to go with the next exchange */
  #denyOrPark(request: PendingRequest, rows: readonly LeasedRow[], { closing, isFrozen }: AnswerState): boolean {
    const { waiting, metrics, session, settings } = this.#parts
    for (const [index, row] of rows.entries()) {
      const need = request.needs[index]
      if (need === undefined) continue
      if (row.isQuarantined) {
        waiting.resolve(request, { kind: 'failed', error: quarantinedError(row.key) })
        return true
      }
      if (row.figures === null) {
        // The period that the gate is in now is one that the store has.
        if (wasEarly(row, session.time) && !closing) return false
        this.retryLater(request, row, closing)
        return true
      }
      if (isFrozen) continue
      if (need.units > row.reach || closing) {
        row.schedule.withDenials(settings.flushIntervalMs).deny(settings.clock.monotonic())
        metrics.countDenial(unitsOf(request.needs), request.count)
        waiting.resolve(request, { kind: 'denied', ...need, row })
        return true
      }
    }
    if (isFrozen) {
      this.#waitForThaw(request, closing)
      return true
    }
    for (const [index, row] of rows.entries()) this.#wantUnits(row, request.needs[index]?.units ?? 0)
    waiting.park(request)
    return true
  }

  /** F3, L6: the store grants nothing now, which is no denial. */
  #waitForThaw(request: PendingRequest, closing: boolean): void {
    const { waiting, unanswered } = this.#parts
    if (closing) waiting.resolve(request, unanswered.frozen(request))
    else waiting.delay(request)
  }

  /** O12: other owners hold the units, or this owner's own lease does. The lease goes back, and the row is marked as wanted. */
  #wantUnits(row: LeasedRow, units: number): void {
    const { settings, sendQueue } = this.#parts
    const { schedule, figures } = row
    if ((figures?.pool ?? 0) >= units) return
    schedule.yieldFor((figures?.othersHeld ?? 0) > 0 && settings.clock.monotonic() >= schedule.wantAgainAtMs)
    if (schedule.wants || row.held > 0) sendQueue.markUrgent(row)
  }
}
