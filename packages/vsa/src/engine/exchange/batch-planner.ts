import type { Batch, Entry } from '../../core/exchange.ts'
import { overloadedError, quarantinedCounterError, quarantinedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeCall } from '../requests/change-calls.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import { ServicePace } from '../requests/service-pace.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { IDLE_FLUSHES } from '../rows/row-schedule.ts'
import { BatchBuilder } from './batch-builder.ts'
import { counterEntryOf, entryOf } from './batch-entries.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { type InFlightBatch, isLeasedRow } from './in-flight-batch.ts'
import { LeasePlan } from './lease-plan.ts'
import { OwnLeases } from './own-leases.ts'
import { Quarantine, VOID } from './quarantine.ts'
import { restatementOf } from './recollection.ts'
import type { FlushRequest } from './send-queue.ts'

/** Unused rows that one flush keeps at most; the next one goes on (L8). */
const KEPT_SLICE_MAX = 5_000
const NO_CHANGES: readonly ChangeCall[] = []
const UNKNOWN = { pool: Infinity, othersHeld: 0 }

type BatchContent = Pick<Batch, 'entries' | 'takes' | 'changes' | 'close'>

export interface PlannedBatch {
  readonly content: BatchContent
  readonly inFlight: InFlightBatch
}

interface Order {
  readonly close: boolean
  readonly changes: readonly ChangeCall[]
  readonly flushes: readonly FlushRequest[]
  /** Every lease goes back. */
  readonly returning: boolean
  readonly nowMs: number
}

/**
 * Decides what the next batch carries: requests that wait, then urgent rows, then, when a flush is due, everything that changed. When requests have taken all
 * of a batch, the rows go first in the next one: a crowd that never ends must not keep what was spent from the store, nor a flush from its end.
 */
export class BatchPlanner {
  readonly #parts: ExchangeParts
  readonly #leasePlan: LeasePlan
  readonly #pace = new ServicePace()
  readonly #ownLeases: OwnLeases
  readonly #quarantine: Quarantine
  /** The last batch had no place for rows that wait. */
  #rowsWait = false

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#leasePlan = new LeasePlan(parts.settings, parts.session)
    this.#ownLeases = new OwnLeases(parts)
    this.#quarantine = new Quarantine(parts)
  }

  /**
   * @param lingers a refund that the store does not accept may be sent again
   * @returns null when there is nothing to send
   */
  plan(closing: boolean, lingers: boolean): PlannedBatch | null {
    if (this.#parts.recollection.isDue) return this.#restatement()
    const { settings, sendQueue } = this.#parts
    const nowMs = settings.clock.monotonic()
    const builder = new BatchBuilder(settings.store.capabilities.batchMax)
    const changes = this.#takeChanges()
    const rowsFirst = this.#rowsWait && !closing
    if (rowsFirst) this.#loadChanged(builder)
    const changedFit = rowsFirst && !builder.isFull
    const allLoaded = this.#parts.waiting.drain((request) => this.#loadRequest(builder, request, nowMs, closing))
    if (allLoaded) this.#pace.done()
    else this.#shed(builder, nowMs)
    if (!rowsFirst) this.#loadChanged(builder)
    this.#loadChangedRows(builder, changes, nowMs)
    if (sendQueue.due) this.#loadUnused(builder, closing, nowMs)
    const allFit = allLoaded && !builder.isFull
    // Leases go back behind the requests.
    const complete = sendQueue.due && (allFit || (changedFit && !sendQueue.returning))
    const flushes = complete ? sendQueue.takeFlushes() : []
    const returning = sendQueue.returning || flushes.some((flush) => flush.returnLeases)
    if (complete) sendQueue.due = false
    this.#rowsWait = !rowsFirst && !allLoaded && sendQueue.hasUrgent
    // No request may wait for the last batch: a late answer could not be refunded or repeated any more.
    const isAwaited = changes.length > 0 || !this.#parts.changes.isEmpty || this.#isAwaited(builder)
    const close = closing && complete && !isAwaited && !(lingers && builder.hasRefund)
    if (builder.rows.length === 0 && changes.length === 0 && !close && !this.#isKeepaliveDue(nowMs)) {
      for (const flush of flushes) flush.reply.resolve()
      return null
    }
    return this.#make(builder, { close, changes, flushes, returning, nowMs })
  }

  /** While requests wait as well, half as many as one exchange may carry: each names rows of its own. */
  #takeChanges(): readonly ChangeCall[] {
    const { changes, settings, waiting } = this.#parts
    if (changes.waiting === 0) return NO_CHANGES
    const { batchMax } = settings.store.capabilities
    return changes.take(waiting.queued > 0 ? Math.ceil(batchMax / 2) : batchMax)
  }

  /**
   * R4, R5, I2. The row that the budget admits from goes along, where there is one: what comes back to it is seen at once, and its lease may give way.
   * G5: behind the requests, because a request whose budget was evicted may evict this one, and then another object would stand for the row.
   */
  #loadChangedRows(builder: BatchBuilder, changes: readonly ChangeCall[], nowMs: number): void {
    const { leases } = this.#parts
    for (const { gate, wasRefused } of changes) {
      if (gate.isEvicted || (gate.row === null && !wasRefused)) continue
      const row = leases.current(gate, nowMs)
      if (row.isQuarantined || !builder.addRow(row)) continue
      if (wasRefused) row.schedule.yieldFor((row.figures?.othersHeld ?? 0) > 0)
    }
  }

  /** Urgent rows, and, when a flush is due, all that changed. */
  #loadChanged(builder: BatchBuilder): void {
    const { sendQueue } = this.#parts
    const load = (row: LeasedRow): boolean => row.isQuarantined || builder.addRow(row)
    sendQueue.drainUrgent(load)
    if (sendQueue.due) sendQueue.drainDirty(load)
    sendQueue.drainCounters((counter) => counter.isQuarantined || builder.addCounter(counter))
  }

  /** F5: before anything else, so that no answer of a store that lacks them replaces what is remembered. */
  #restatement(): PlannedBatch {
    const { settings, session, recollection } = this.#parts
    const restated = recollection.due(settings.store.capabilities.batchMax)
    const entries = restated.map((row) => restatementOf(row, session.version))
    return {
      content: { entries, takes: [], close: false },
      inFlight: { rows: [], runs: [], changes: [], flushes: [], restated },
    }
  }

  #make(builder: BatchBuilder, order: Order): PlannedBatch {
    const takes = builder.takes()
    const entries: Entry[] = []
    const bugs = new Map<number, unknown>()
    for (const [at, row] of builder.rows.entries()) {
      try {
        entries.push(isLeasedRow(row) ? this.#entryOf(row, order) : counterEntryOf(row))
      } catch (error) {
        entries.push(VOID)
        bugs.set(at, error)
      }
    }
    for (const run of builder.runs) this.#parts.waiting.send(run.requests)
    const { close, changes, flushes } = order
    const inFlight: InFlightBatch = { rows: [...builder.rows], runs: builder.runs, changes, flushes }
    const asked = changes.length === 0 ? {} : { changes: changes.map(({ change }) => change) }
    return { content: this.#withoutBugs({ entries, takes, ...asked, close }, inFlight, bugs), inFlight }
  }

  /** An assertion that failed stops its row before anything of it is sent, and the others go on. */
  #withoutBugs(content: BatchContent, inFlight: InFlightBatch, bugs: ReadonlyMap<number, unknown>): BatchContent {
    let rest = content
    for (const [at, error] of bugs) rest = this.#quarantine.leaveOutAt(rest, inFlight, at, error) ?? rest
    return rest
  }

  #entryOf(row: LeasedRow, { returning, nowMs }: Order): Entry {
    const requests = this.#parts.requests.find(row)
    // P4: when a lower limit is answered, nothing is leased by the one before.
    const isLowered = requests?.changesPolicy === true && row.plan.limit < (row.figures?.limit ?? Infinity)
    return entryOf(row, requests, this.#leasePlan.orderFor(row, returning || isLowered, nowMs), nowMs)
  }

  #isAwaited(builder: BatchBuilder): boolean {
    const { requests } = this.#parts
    return builder.runs.length > 0 || builder.rows.some((row) => isLeasedRow(row) && requests.isAwaited(row))
  }

  #loadRequest(builder: BatchBuilder, request: PendingRequest, nowMs: number, closing: boolean): boolean {
    try {
      // O13: at the end a request waits for no other exchange.
      if (!closing && this.#ownLeases.giveWay(request)) return true
      return this.#joinRun(builder, request, nowMs) || this.#loadAnyRequest(builder, request, nowMs)
    } catch (error) {
      // A bug: this request alone fails, and does not stop the ones behind it.
      this.#parts.waiting.resolve(request, { kind: 'failed', error })
      return true
    }
  }

  /** Most requests ask for the same as their neighbour in the queue: they join its run, and nothing is allocated for them. */
  #joinRun(builder: BatchBuilder, request: PendingRequest, nowMs: number): boolean {
    const [need, second] = request.needs
    if (need === undefined || second !== undefined || isOdd(request)) return false
    const row = this.#parts.leases.current(need.gate.family.live(need.gate), nowMs)
    if (row.isQuarantined || !builder.joinRun(row, need.units, request)) return false
    row.takers += request.count
    noteDemand(row, request, need.units, nowMs)
    return true
  }

  #loadAnyRequest(builder: BatchBuilder, request: PendingRequest, nowMs: number): boolean {
    const { count } = request
    const overage = request.form.waterfall?.overage ?? null
    if (overage?.isQuarantined === true) {
      this.#parts.waiting.resolve(request, { kind: 'failed', error: quarantinedCounterError(overage.key) })
      return true
    }
    const rows = request.needs.map(({ gate }) => this.#takenRow(gate.family.live(gate), count, nowMs))
    const bad = rows.find((row) => row.isQuarantined)
    if (bad !== undefined) {
      for (const row of rows) row.takers -= count
      this.#parts.waiting.resolve(request, { kind: 'failed', error: quarantinedError(bad.key) })
      return true
    }
    if (!builder.addRequest(request, rows)) {
      for (const row of rows) row.takers -= count
      return false
    }
    for (const [index, row] of rows.entries()) noteDemand(row, request, request.needs[index]?.units ?? 0, nowMs)
    return true
  }

  /** Counted as in use at once, so that making room for the next gate cannot evict this one. */
  #takenRow(gate: Gate, takers: number, nowMs: number): LeasedRow {
    const row = this.#parts.leases.current(gate, nowMs)
    row.takers += takers
    return row
  }

  /** Some of the queue stays behind: those that cannot be served in time are told now, not at their deadline. */
  #shed(builder: BatchBuilder, nowMs: number): void {
    const { waiting } = this.#parts
    let requests = 0
    for (const run of builder.runs) requests += run.count
    // Rows took all of the batch.
    if (requests === 0) return
    const msPerRequest = this.#pace.full(requests, nowMs)
    if (msPerRequest === undefined) return
    // The batch that leaves now and the request's own take their time as well.
    waiting.shed({
      msPerRequest,
      servedBefore: 2 * requests,
      refuse: ({ needs, deadlineMs }, ahead) => {
        const overload = { ahead, perSecond: Math.round(1_000 / msPerRequest), deadlineMs }
        return { kind: 'failed', error: overloadedError(needs[0]?.gate.key, overload) }
      },
    })
  }

  /** O6: unused leases go back, and rows with nothing to keep are forgotten; when closing, all of them. */
  #loadUnused(builder: BatchBuilder, closing: boolean, nowMs: number): void {
    const { leases, sendQueue, settings } = this.#parts
    const everything = closing || sendQueue.returning
    const unusedBeforeMs = nowMs - IDLE_FLUSHES * settings.flushIntervalMs
    let kept = 0
    for (const row of leases.all()) {
      if (builder.isFull) return
      if (!everything && row.schedule.usedAtMs > unusedBeforeMs) return
      if (builder.has(row) || row.isQuarantined) continue
      if (!everything && row.isKept(nowMs)) {
        // Looked at again when it would be unused again.
        row.schedule.usedAtMs = nowMs
        leases.touch(row, row.held)
        kept += 1
        if (kept === KEPT_SLICE_MAX) return
        continue
      }
      if (leases.dropIfIdle(row)) continue
      if (row.held > 0) builder.addRow(row)
    }
  }

  #isKeepaliveDue(nowMs: number): boolean {
    const { leases, recollection, session } = this.#parts
    return (leases.leasedUnits > 0 || !recollection.isEmpty) && nowMs >= session.keepaliveAtMs
  }
}

function isOdd({ form: { remember, waterfall } }: PendingRequest): boolean {
  return remember !== undefined || waterfall !== undefined
}

/** What the request says about the row: how large a lease would have served it, and whether the pool lacks its units. */
function noteDemand(row: LeasedRow, request: PendingRequest, units: number, nowMs: number): void {
  const { schedule } = row
  // Of a waterfall, the later sources are asked for what is left.
  const isLater = request.form.waterfall !== undefined && request.needs[0]?.gate !== row.gate
  if (!request.durable && !isLater) schedule.demandUnits(request.count * units, nowMs)
  schedule.usedAtMs = Math.max(schedule.usedAtMs, nowMs)
  const { pool, othersHeld } = row.figures ?? UNKNOWN
  const wants = request.refused && units > pool && othersHeld > 0
  if (request.refused || units > pool) schedule.yieldFor(wants || schedule.wants)
}
