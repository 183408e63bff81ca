import type { Plan, Window } from '../../../packages/vsa/dist/core/plan.js'
import type { Decisions } from '../../../packages/vsa/dist/engine/admission/decisions.js'
import type { Gate } from '../../../packages/vsa/dist/engine/budget/gate.js'
import type { SlowPath } from '../../../packages/vsa/dist/engine/budget/slow-path.js'
import type { ExchangeParts } from '../../../packages/vsa/dist/engine/exchange/exchange-parts.js'
import type { InFlightBatch } from '../../../packages/vsa/dist/engine/exchange/in-flight-batch.js'
import type { PendingRequest, Verdict } from '../../../packages/vsa/dist/engine/requests/pending-request.js'
import type { LeasedRow } from '../../../packages/vsa/dist/engine/rows/leased-row.js'
import type { StoreReads } from '../../../packages/vsa/dist/engine/session/store-reads.js'
import { must, Violation } from '../simulation/violation.ts'
import { type LiveMint, liveMint } from './live-mint.ts'
import type { Production } from './production.ts'
import { CLOCK, familyOf, intakeOf, leaseTableOf, SCHEDULER, sessionOf, SETTINGS } from './stand-ins.ts'
import type { LeaseState, Owner, Request } from './world.ts'

/** The model asks for booleans, gives back units without a decision, and has no waterfalls, so none of these is used. */
const WITHOUT_DECISIONS = {
  decisions: null as unknown as Decisions,
  find: unused,
  counterOf: unused,
  book: unused,
}

function unused(): never {
  throw new Error('the model does not use this')
}

const WINDOW: Window = { start: 0, end: Infinity }

/** A durable request that waits, and its verdict in this step. */
export interface LiveRequest {
  readonly pending: PendingRequest
  readonly needs: readonly number[]
  verdict: Verdict['kind'] | null
}

/**
 * One owner's memory as production objects, created from plain data for one step. When to flush, how much to lease and what goes in
 * which batch is the model's choice, not the flush scheduler's: any choice at any time. The rest is the engine's own: gates, rows,
 * admission, the wait queue, the handling of answers and of the end of an epoch.
 */
export class LiveOwner {
  readonly #production: Production
  readonly gates: readonly Gate[]
  readonly rows: readonly LeasedRow[]
  readonly parts: ExchangeParts
  readonly requests: LiveRequest[] = []
  readonly mints: (LiveMint | null)[]
  /** The batch in flight; null once its answer has arrived. */
  inFlight: InFlightBatch | null

  constructor(production: Production, plans: readonly Plan[], keys: readonly string[], owner: Owner) {
    this.#production = production
    const metrics = new production.Metrics()
    const family = familyOf(metrics, () => this.#slowPath())
    this.gates = plans.map((plan, row) => new production.Gate(family, keys[row] ?? '', plan))
    this.rows = this.gates.map((gate) => new production.LeasedRow(gate, WINDOW, 0))
    this.mints = owner.leases.map(liveMint)
    this.parts = {
      settings: SETTINGS,
      session: sessionOf(owner.session),
      leases: leaseTableOf(this.gates, this.rows),
      waiting: new production.WaitQueue(CLOCK, metrics, () => ({ kind: 'failed', error: null })),
      changes: new production.ChangeCalls(),
      requests: new production.RequestTable(),
      sendQueue: new production.SendQueue(),
      refundWaits: new production.RefundWaits(),
      recollection: new production.Recollection(),
      unanswered: {
        forgotten: () => ({ kind: 'failed', error: null }),
        frozen: () => ({ kind: 'failed', error: null }),
      },
      metrics,
    }
    for (const [row, state] of owner.leases.entries()) this.#restore(row, state, owner.closing)
    for (const request of owner.requests) this.requests.push(this.#liveRequest(request))
    this.inFlight = owner.cargo === null ? null : this.#inFlightOf(owner)
  }

  settle(answer: Parameters<InstanceType<Production['AnswerHandler']>['settle']>[1], closing: boolean): void {
    if (this.inFlight !== null) this.#answers().settle(this.inFlight, answer, closing)
  }

  fence(...[batch, answer]: FencingArguments): void {
    if (this.inFlight === null) return
    new this.#production.Fencing(this.parts, this.#answers()).fence(batch, this.inFlight, answer)
  }

  settleClosed(answer: Parameters<InstanceType<Production['Fencing']>['settleClosed']>[1]): void {
    if (this.inFlight === null) return
    new this.#production.Fencing(this.parts, this.#answers()).settleClosed(this.inFlight, answer)
  }

  /** A durable request: spends from the lease, or is queued. Returns the request as the engine's admission created it. */
  ask(needs: readonly number[]): LiveRequest {
    const asked = needs.flatMap((units, row) => {
      const gate = this.gates[row]
      return units > 0 && gate !== undefined ? [{ gate, units }] : []
    })
    let made: PendingRequest | undefined
    const confirming = this.rows.map((row) => this.#unsentOf(row).length)
    const [first] = asked
    const admission = this.#admission()
    const options = { durable: true }
    const promise =
      asked.length === 1 && first !== undefined
        ? admission.admit(first.gate, first.units, options)
        : admission.admitAll(asked, options)
    promise.catch(() => undefined)
    for (const [index, row] of this.rows.entries())
      if (this.#unsentOf(row).length > (confirming[index] ?? 0)) made = this.#unsentOf(row).at(-1)
    if (made === undefined) this.parts.waiting.visit((pending) => (made = pending))
    if (made === undefined) throw new Violation('O9', 'a durable request was answered before an exchange carried it')
    const request: LiveRequest = { pending: made, needs, verdict: null }
    this.requests.push(request)
    return request
  }

  /** Which row's lease the request has been spent from, not sent yet; -1 when none. */
  confirmingAt({ pending }: LiveRequest): number {
    return this.rows.findIndex((row) => this.#unsentOf(row).includes(pending))
  }

  #unsentOf(row: LeasedRow): readonly PendingRequest[] {
    return this.parts.requests.find(row)?.unsent ?? []
  }

  #answers(): InstanceType<Production['AnswerHandler']> {
    return new this.#production.AnswerHandler(this.parts)
  }

  #admission(): InstanceType<Production['AdmissionController']> {
    const intake = intakeOf(this.parts)
    return new this.#production.AdmissionController({
      ...this.parts,
      ...WITHOUT_DECISIONS,
      scheduler: SCHEDULER,
      intake,
      // A row that was seen exhausted is read after a pause, and no time passes within a step.
      reads: null as unknown as StoreReads,
    })
  }

  #slowPath(): SlowPath<Gate> {
    const admission = this.#admission()
    const intake = intakeOf(this.parts)
    const refunds = new this.#production.Refunds({ ...this.parts, ...WITHOUT_DECISIONS, scheduler: SCHEDULER, intake })
    const slowPath: Pick<SlowPath<Gate>, 'tryAdmit' | 'admit' | 'refund'> = {
      tryAdmit: (gate, units) => admission.tries.tryAdmit(gate, units),
      admit: (gate, units, options) => admission.admit(gate, units, options),
      refund: (gate, units, decision) => refunds.refund(gate, units, decision),
    }
    return slowPath as SlowPath<Gate>
  }

  #restore(index: number, state: LeaseState, closing: boolean): void {
    const row = this.rows[index]
    if (row === undefined) return
    const { lease } = row
    if (!closing) row.attach()
    lease.held = state.held
    if (state.sent !== null) lease.sent = { ...state.sent }
    lease.refund = state.refund
    lease.left = state.left
    row.isKnown = state.known
    // The first spending after a send takes the slow path, those after it the hot one.
    if (state.unsent + state.refund > 0) this.parts.sendQueue.markDirty(row)
    lease.settleFloor()
    const mint = this.mints[index] ?? null
    if (mint === null) return
    const requests = this.parts.requests.of(row)
    if (state.mint?.sent === true) requests.mintSent = mint.request
    else requests.mints.add(mint.request)
  }

  #liveRequest({ needs, place, told }: Request): LiveRequest {
    const wanted = needs.flatMap((units, row) => {
      const gate = this.gates[row]
      return units > 0 && gate !== undefined ? [{ gate, units }] : []
    })
    const units = wanted.reduce((sum, need) => sum + need.units, 0)
    const times = { deadlineMs: 1_000, deadlineAtMs: 1_000 }
    const terms = { needs: wanted, durable: true, ...times, isWaiting: true, form: {}, units }
    const pending: PendingRequest = {
      ...terms,
      terms,
      count: 1,
      tell: ({ kind }) => (request.verdict = kind),
      split: () => pending,
      state: told ? 'resolved' : place === 'queued' ? 'queued' : 'sent',
      refused: false,
      isUncertain: false,
    }
    const request: LiveRequest = { needs, verdict: null, pending }
    const row = this.rows[needs.findIndex((units) => units > 0)]
    if (place === 'queued') this.parts.waiting.add(pending)
    if (row !== undefined && place === 'confirming') this.parts.requests.of(row).unsent.push(pending)
    if (row !== undefined && place === 'confirming_sent') this.parts.requests.of(row).sent.push(pending)
    return request
  }

  #inFlightOf({ cargo, session }: Owner): InFlightBatch {
    const takes = session.batch?.takes ?? []
    return {
      rows: (cargo?.rows ?? []).map((row) => this.rows[row] ?? null),
      runs: (cargo?.runs ?? []).map((run, index) => {
        const need = takes[index]?.need ?? []
        const rows = need.flatMap(([entry]) => this.rows[cargo?.rows[entry] ?? -1] ?? [])
        const requests = run.flatMap((at) => this.requests[at]?.pending ?? [])
        for (const row of rows) row.takers += requests.length
        return { rows, costs: need.map(([, cost]) => cost), form: {}, requests, count: requests.length }
      }),
      changes: [],
      flushes: [],
    }
  }

  /**
   * The memory as plain data again, without requests that are resolved and not in flight.
   * @param counted by row, the model's own counts
   */
  freeze(counted: readonly Counted[]): Pick<Owner, 'leases' | 'requests'> & { readonly kept: readonly LiveRequest[] } {
    for (const { isQuarantined, key } of this.rows)
      must(!isQuarantined, 'S6', () => `the owner quarantined ${key}: its figures do not balance`)
    const kept = this.requests.filter((request) => this.#placeOf(request) !== null)
    return {
      leases: this.rows.map((row, index) => this.#freezeLease(row, index, counted[index])),
      requests: kept.map((request) => ({
        needs: request.needs,
        place: this.#placeOf(request) ?? 'queued',
        told: request.pending.state === 'resolved',
      })),
      kept,
    }
  }

  #freezeLease(row: LeasedRow, index: number, counted: Counted = { unsent: 0, owed: 0 }): LeaseState {
    const { held, base, left, refund, sent } = row.lease
    const mint = this.mints[index] ?? null
    const waits = mint !== null && mint.verdict === null
    const mintSent = this.parts.requests.find(row)?.mintSent ?? null
    return {
      ...{ held, base, left, refund, known: row.isKnown },
      sent: sent === null ? null : { spent: sent.spent, hold: sent.hold, refund: sent.refund },
      mint: waits ? { units: mint.request.mint.units, sent: mintSent === mint.request } : null,
      unsent: counted.unsent,
      owed: counted.owed,
    }
  }

  #placeOf({ pending }: LiveRequest): Request['place'] | null {
    for (const row of this.rows) {
      const requests = this.parts.requests.find(row)
      if (requests?.unsent.includes(pending) === true) return 'confirming'
      if (requests?.sent.includes(pending) === true) return 'confirming_sent'
    }
    // When a refused request is sent again is scheduling: any later batch may carry it.
    if (pending.state === 'queued' || pending.state === 'parked') return 'queued'
    return this.#isInFlight(pending) ? 'sent' : null
  }

  #isInFlight(pending: PendingRequest): boolean {
    return this.inFlight?.runs.some((run) => run.requests.includes(pending)) === true
  }
}

export type Counted = Pick<LeaseState, 'unsent' | 'owed'>

type FencingArguments = [
  batch: Parameters<InstanceType<Production['Fencing']>['fence']>[0],
  answer: Parameters<InstanceType<Production['Fencing']>['fence']>[2],
]
