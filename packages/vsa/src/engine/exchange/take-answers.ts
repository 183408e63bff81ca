import type { RememberedOutcome, TakeOutcome } from '../../core/reservations/messages.ts'
import {
  closedError,
  damagedReservationError,
  quarantinedError,
  requestConflictError,
  rowLostError,
} from '../api/errors.ts'
import type { GateNeed, PendingRequest, RequestForm, Verdict } from '../requests/pending-request.ts'
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

  /** @param granted how many requests of the run the store granted now @param outcome of a run that is remembered, or that has several sources */
  settle(run: Run, granted: number, outcome: TakeOutcome | undefined, state: AnswerState): void {
    this.#parts.waiting.arrived(run.requests)
    for (const row of run.rows) row.takers -= run.count
    const again: PendingRequest[] = []
    for (const request of this.grant(run, granted, outcome)) {
      if (request.state === 'resolved') continue
      if (!this.#denyOrPark(request, run.rows, state)) again.push(request)
    }
    this.#parts.waiting.requeue(again)
  }

  /**
   * The store has given their units to the first `granted` callers of the run; one that is remembered has its outcome.
   * @returns the requests of the others
   */
  grant(run: Run, granted: number, outcome: TakeOutcome | undefined): readonly PendingRequest[] {
    if (outcome?.kind === 'drawn') return this.#grantDrawn(run, granted, outcome.charged)
    if (outcome !== undefined) return this.#grantRemembered(run, outcome)
    const { requests, rows } = run
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

  /** V2: each request in order gets what is left of the first sources. */
  #grantDrawn({ requests, rows, form }: Run, granted: number, charged: readonly number[]): readonly PendingRequest[] {
    const left = [...charged]
    for (const request of requests.slice(0, granted)) {
      const shares = drawFirst(left, request.units)
      if (request.state === 'resolved') this.#oweShares(rows, form, shares)
      else this.#admit(request, { kind: 'admitted', row: rows[0] ?? null, rows, shares })
    }
    return requests.slice(granted)
  }

  /** R8: what is granted late is not given back: the id tells, and the end of the reservation ends it. */
  #grantRemembered(
    { requests, rows, form }: Run,
    outcome: Exclude<TakeOutcome, { kind: 'drawn' }>,
  ): readonly PendingRequest[] {
    const { waiting } = this.#parts
    const [request] = requests
    if (request === undefined || request.state === 'resolved') return []
    const need = request.needs[0]
    const key = need?.gate.key ?? ''
    const id = form.remember?.id ?? ''
    switch (outcome.kind) {
      case 'remembered':
        if (outcome.repeated) waiting.resolve(request, admittedBefore(rows, outcome))
        else this.#admit(request, admittedBefore(rows, outcome))
        break
      case 'id_conflict':
        waiting.resolve(request, { kind: 'failed', error: requestConflictError(key, id) })
        break
      case 'refunded':
        if (need === undefined) break
        need.gate.metrics.countDenial(request.units)
        waiting.resolve(request, { kind: 'denied', ...need, row: rows[0] ?? null, isRefunded: true })
        break
      case 'damaged':
        waiting.resolve(request, { kind: 'failed', error: damagedReservationError(key, id, outcome.detail) })
    }
    return []
  }

  #admit(request: PendingRequest, admitted: Verdict): void {
    countTakes(request, request.count)
    this.#parts.waiting.resolve(request, admitted)
  }

  /** O10, V3 */
  #oweShares(rows: readonly LeasedRow[], { waterfall }: RequestForm, shares: readonly number[]): void {
    const { sendQueue } = this.#parts
    for (const [index, row] of rows.entries()) {
      if ((shares[index] ?? 0) === 0) continue
      row.lease.owe(shares[index] ?? 0)
      sendQueue.markDirty(row)
    }
    const over = shares[rows.length] ?? 0
    if (over === 0 || waterfall === undefined || waterfall.overage === null) return
    waterfall.overage.pending -= over
    sendQueue.markCounter(waterfall.overage)
  }

  /** O10: a request that was resolved otherwise meanwhile is refunded. */
  #grantOne(request: PendingRequest, callers: number, rows: readonly LeasedRow[], admitted: Verdict): void {
    const { waiting, sendQueue } = this.#parts
    if (request.state === 'resolved') {
      for (const [index, row] of rows.entries()) {
        const units = request.needs[index]?.units ?? 0
        row.lease.owe(callers * units)
        sendQueue.markDirty(row)
      }
      return
    }
    countTakes(request, callers)
    waiting.resolve(request, admitted)
  }

  /** The row was refused: the request goes again with the next flush, or fails. */
  retryLater(request: PendingRequest, row: LeasedRow, closing = false): void {
    const { waiting, session } = this.#parts
    if (isLost(row, session.time)) waiting.resolve(request, { kind: 'failed', error: rowLostError(row.key) })
    else if (closing) waiting.resolve(request, { kind: 'failed', error: closedError(row.key) })
    else if (row.isDeleted) waiting.requeue([request])
    else if (request.state !== 'resolved') waiting.park(request)
  }

  /** Parked requests go again at once where the pools cover them now, and where they waited for leases of this owner. */
  unpark(closing: boolean): void {
    const { waiting } = this.#parts
    if (waiting.parked === 0) return
    waiting.unpark((request) => closing || isCovered(request) || request.form.waterfall?.ownLeases === 'returning')
  }

  /** A lease that has come may serve requests that were queued while the exchange was in flight. */
  serveFromLeases(): void {
    const { waiting, leases, sendQueue } = this.#parts
    waiting.visit((request) => {
      const [need, second] = request.needs
      if (request.durable || second !== undefined || need === undefined || request.form.waterfall !== undefined) return
      const row = leases.current(need.gate.family.live(need.gate))
      if (row.lease.left < need.units) return
      row.lease.left -= need.units
      if (need.units !== 1) row.gate.metrics.surplusUnits += need.units - 1
      sendQueue.markDirty(row)
      row.lease.settleFloor()
      waiting.resolve(request, { kind: 'admitted', row })
    })
  }

  /** @returns false when the request is to go with the next exchange */
  #denyOrPark(request: PendingRequest, rows: readonly LeasedRow[], { closing, isFrozen }: AnswerState): boolean {
    const { waiting, session, settings } = this.#parts
    for (const [index, row] of rows.entries()) {
      const need = request.needs[index]
      if (need === undefined) continue
      if (row.isQuarantined) {
        waiting.resolve(request, { kind: 'failed', error: quarantinedError(row.key) })
        return true
      }
      if (row.figures === null) {
        // The next entry finds a fresh row, or one of the period that the gate is in now.
        if ((row.isDeleted || wasEarly(row, session.time)) && !closing) return false
        this.retryLater(request, row, closing)
        return true
      }
      if (isFrozen) continue
      if (lacks(request, rows, index) || closing) {
        row.schedule.withDenials(settings.flushIntervalMs).deny(settings.clock.monotonic())
        need.gate.metrics.countDenial(request.units, request.count)
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

/** The store granted them. They count with the first budget. */
function countTakes({ needs, units }: PendingRequest, callers: number): void {
  const metrics = needs[0]?.gate.metrics
  if (metrics === undefined) return
  metrics.takes += callers
  metrics.takenUnits += callers * units
}

/** Whether the row refuses the request; of a waterfall, the last one does, where all of them together have too little. */
function lacks(request: PendingRequest, rows: readonly LeasedRow[], index: number): boolean {
  if (request.form.waterfall === undefined) return (request.needs[index]?.units ?? 0) > (rows[index]?.reach ?? 0)
  if (index < rows.length - 1) return false
  let reach = 0
  for (const row of rows) reach += Math.max(0, row.reach)
  return request.units > reach
}

/** The pools have the units, as of the last answers. */
function isCovered({ needs, units, form }: PendingRequest): boolean {
  const poolOf = ({ gate }: GateNeed): number => gate.row?.figures?.pool ?? 0
  if (form.waterfall === undefined) return needs.every((need) => poolOf(need) >= need.units)
  let pools = 0
  for (const need of needs) pools += Math.max(0, poolOf(need))
  return pools >= units
}

function admittedBefore(rows: readonly LeasedRow[], remembered: RememberedOutcome): Verdict {
  return { kind: 'admitted', row: rows[0] ?? null, rows, shares: remembered.charged, remembered }
}

/** Takes the units off `left`, the first one first. @returns how many of each */
function drawFirst(left: number[], units: number): readonly number[] {
  let lacking = units
  return left.map((there, at) => {
    const share = Math.min(lacking, there)
    left[at] = there - share
    lacking -= share
    return share
  })
}
