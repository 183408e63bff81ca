import type { Timer } from '../../core/clock.ts'
import type { BudgetRow } from '../../core/rows.ts'
import type { Settings } from '../api/settings.ts'
import type { RowFigures } from '../budget/row-view.ts'
import { AnswerEvents } from '../exchange/answer-events.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { FlushScheduler } from '../exchange/flush-scheduler.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { READ_PAUSE_LONGEST_MS } from '../rows/row-denials.ts'
import type { Session } from '../session/session.ts'
import type { StoreReads } from '../session/store-reads.ts'

/** A read leaves at least this long before the deadline of a request that waits for it, in ms. */
const ANSWER_MS = 20

export interface ExhaustedRowParts {
  readonly settings: Settings
  readonly session: Session
  readonly leases: LeaseTable
  readonly waiting: WaitQueue
  readonly scheduler: FlushScheduler
  readonly intake: ChangeIntake
  readonly reads: StoreReads
}

/** What a request does after a read: it was resolved, it goes with the next exchange, or its row is not read yet. */
export type AfterRead = 'resolved' | 'ask' | 'read'

/**
 * O12, L6: rows that were seen to lack what is asked of them are read before they are asked again. All of them go in one read
 * per flush interval, or per second where that is shorter. More follow only where there are more rows than a batch carries, and where the
 * deadline of a request is shorter than the interval.
 */
export class ExhaustedRows {
  readonly #parts: ExhaustedRowParts
  readonly #events: AnswerEvents
  readonly #paceMs: number
  readonly #batchMax: number
  readonly #resume: (request: PendingRequest) => AfterRead
  /** Marked as to be read. */
  #rows: LeasedRow[] = []
  #isReading = false
  /** Not all rows of this interval had a place in the read that is under way. */
  #hasMore = false
  #nextAtMs = -Infinity
  /** When the first request that waits needs its answer: its deadline may be shorter than an interval. */
  #neededAtMs = Infinity
  #timer: Timer | null = null
  #timerAtMs = Infinity
  #isScheduled = false
  #isClosed = false

  /** @param resume decides a request again */
  constructor(parts: ExhaustedRowParts, resume: (request: PendingRequest) => AfterRead) {
    const { emit, flushIntervalMs, store, thresholds } = parts.settings
    this.#parts = parts
    this.#events = new AnswerEvents(emit, thresholds)
    this.#paceMs = Math.min(flushIntervalMs, READ_PAUSE_LONGEST_MS)
    this.#batchMax = store.capabilities.batchMax
    this.#resume = resume
  }

  /** Whether a request may wait for a read. While the store is away it waits for the exchange, which is tried until it is back. */
  get canRead(): boolean {
    return !this.#isClosed && this.#parts.session.lastError === null
  }

  /** A read may leave now. Otherwise what is known of the row counts until the next one, unless it is older than any pause. */
  countsUntilRead(row: LeasedRow): boolean {
    const nowMs = this.#parts.settings.clock.monotonic()
    if (!this.#isReading && nowMs >= this.#nextAtMs) return false
    const { denials } = row.schedule
    return row.figures !== null && denials !== null && nowMs < denials.heardAtMs + READ_PAUSE_LONGEST_MS + this.#paceMs
  }

  /** The row goes with the next read. @param deadlineAtMs that of a request which waits for it */
  add(row: LeasedRow, deadlineAtMs: number = Infinity): void {
    const { exchangeMs } = this.#parts.session
    this.#neededAtMs = Math.min(this.#neededAtMs, deadlineAtMs - ANSWER_MS - 2 * exchangeMs)
    const denials = row.schedule.withDenials(this.#parts.settings.flushIntervalMs)
    if (!denials.isToRead) this.#rows.push(row)
    denials.isToRead = true
    this.#arm()
  }

  /** From now on the requests go with exchanges, the last of which answers them. */
  close(): void {
    this.#isClosed = true
    this.#disarm()
    this.#release()
  }

  #arm(): void {
    const atMs = Math.min(this.#nextAtMs, this.#neededAtMs)
    if (this.#rows.length === 0 || this.#isReading || this.#isScheduled || atMs >= this.#timerAtMs) return
    const { clock } = this.#parts.settings
    const waitMs = atMs - clock.monotonic()
    this.#disarm()
    if (waitMs <= 0) return this.#readSoon()
    this.#timerAtMs = atMs
    this.#timer = clock.timer(Math.ceil(waitMs), () => this.#start())
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAtMs = Infinity
  }

  /** After this turn of the event loop: all that is asked in it goes in one read. */
  #readSoon(): void {
    this.#isScheduled = true
    this.#parts.settings.clock.soon(() => {
      this.#isScheduled = false
      this.#start()
    })
  }

  #start(): void {
    this.#disarm()
    this.#neededAtMs = Infinity
    this.#nextAtMs = this.#parts.settings.clock.monotonic() + this.#paceMs
    this.#addLikely()
    this.#read()
  }

  /** Rows that were denied and forgotten fill the read: asked one after the other, each would wait for an interval of its own. */
  #addLikely(): void {
    const { leases, settings } = this.#parts
    if (this.#rows.length === 0) return
    for (const gate of leases.takeLacking(this.#batchMax - this.#rows.length)) {
      const row = leases.current(gate)
      const denials = row.schedule.withDenials(settings.flushIntervalMs)
      if (row.figures !== null || denials.isToRead || gate.history?.lacks(row.window, Infinity) !== true) continue
      denials.isToRead = true
      this.#rows.push(row)
    }
  }

  #read(): void {
    const rows = this.#rows.slice(0, this.#batchMax)
    if (rows.length === 0 || this.#isReading) return
    this.#rows = this.#rows.slice(rows.length)
    this.#hasMore = this.#rows.length > 0
    this.#isReading = true
    const known = rows.map(({ figures }) => figures)
    this.#parts.reads.rows(rows.map(({ key, window }) => ({ key, period: window.start }))).then(
      (stored) => this.#settle(rows, known, stored),
      () => this.#fail(rows),
    )
  }

  /** @param known what was known of each row when the read left */
  #settle(rows: readonly LeasedRow[], known: readonly (RowFigures | null)[], stored: readonly BudgetRow[]): void {
    this.#isReading = false
    const byName = new Map(stored.map((row) => [`${row.period}:${row.key}`, row]))
    for (const [index, row] of rows.entries()) this.#settleRow(row, known[index] ?? null, byName.get(row.name))
    this.#goOn('read')
    if (this.#hasMore) this.#read()
    else this.#arm()
  }

  #settleRow(row: LeasedRow, known: RowFigures | null, stored: BudgetRow | undefined): void {
    const { schedule, lease } = row
    const { denials } = schedule
    if (denials === null) return
    denials.isToRead = false
    // An exchange was or is under way: its answer tells more.
    if (row.isInFlight || row.figures !== known) return
    if (stored === undefined) return this.#notFound(row)
    const { clock, flushIntervalMs } = this.#parts.settings
    const reach = known === null ? 0 : row.reach
    row.look(stored)
    const nowMs = clock.monotonic()
    denials.heard(nowMs, flushIntervalMs, { isRead: known !== null, hasMore: row.reach > reach })
    denials.keep(nowMs)
    const { figures } = lease
    if (figures === null) return
    this.#events.compare(row, { figures: known, used: known?.used ?? figures.used, known: true }, figures)
    if (schedule.demand > 0 && lease.leasable > 0) this.#parts.intake.askLease(row, 0)
  }

  /** An exchange finds out what became of it. */
  #notFound({ gate, schedule }: LeasedRow): void {
    if (schedule.denials !== null) schedule.denials.heardAtMs = -Infinity
    if (gate.history !== null) gate.history.lack = null
  }

  /** The read failed: the requests go with the exchange, which is tried until the store answers. */
  #fail(rows: readonly LeasedRow[]): void {
    this.#isReading = false
    for (const { schedule } of rows) if (schedule.denials !== null) schedule.denials.isToRead = false
    this.#release()
  }

  #release(): void {
    for (const { schedule } of this.#rows) if (schedule.denials !== null) schedule.denials.isToRead = false
    this.#rows = []
    this.#goOn('ask')
  }

  /** @param unread what becomes of a request whose row is not read yet */
  #goOn(unread: 'ask' | 'read'): void {
    const { waiting, scheduler } = this.#parts
    const asking: PendingRequest[] = []
    waiting.drainReading((request) => {
      const next = this.#resume(request)
      if (next === 'read' && unread === 'read') return false
      if (next !== 'resolved') asking.push(request)
      return true
    })
    waiting.requeue(asking)
    scheduler.goOn()
  }
}
