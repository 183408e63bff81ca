import type {
  Answer,
  AppliedAnswer,
  Batch,
  BudgetRow,
  FencedAnswer,
  Joined,
  ListPage,
  OwnerRow,
  RefusedAnswer,
} from '../../../packages/vsa/dist/index.js'
import { type AppliedBatch, appliedBatch, indexByRow } from './applied-batch.ts'
import { CounterTotals } from './counter-totals.ts'
import { type EpochView, kindFor } from './epoch-view.ts'
import { Epochs } from './epochs.ts'
import type { ProcessTotals } from './process-totals.ts'
import { rowName, type UnitSums } from './process-totals.ts'
import { RowAudit } from './row-audit.ts'
import { assertFigures } from './row-rules.ts'
import { isSame, type RowView, rowViewOf } from './row-view.ts'
import type { Scenarios } from './scenarios.ts'
import type { Setting } from './script.ts'
import type { Auditor } from './store-host.ts'
import { must } from './violation.ts'
import type { Violations } from './violations.ts'

/** A closed epoch is remembered this long. */
const EPOCH_KEPT_MS = 7 * 86_400_000
/** Store time has leapt when it moves by more. */
const LEAP_MIN_MS = 3_600_000
const YEAR_MS = 365 * 86_400_000
/** A store that lets a call wait for so long stands still. */
const STANDSTILL_MIN_MS = 60

/** What the audit reads of the store. */
interface Readable {
  list(): Promise<ListPage>
  owners(): Promise<readonly OwnerRow[]>
}

interface Clocks {
  /** The wall clock of the store's machine, ms since 1970. */
  readonly store: () => number
  /** ms since the run began. */
  readonly trueMs: () => number
}

/**
 * Reads the whole store after each of its transactions, and checks every change against the rules (S1 to S10), with totals of its own:
 * what each first application settled, granted and refunded. It uses none of the store's sums. After a failed check the other checks
 * still run.
 */
export class StoreAudit implements Auditor {
  readonly #store: Readable
  readonly #clocks: Clocks
  readonly #scenarios: Scenarios
  readonly #violations: Violations
  readonly #corrupt: string | null
  readonly #epochs: Epochs
  readonly #rows: RowAudit
  readonly #counters: CounterTotals
  rows: ReadonlyMap<string, RowView> = new Map()
  exchanges = 0
  /** By row: exchanges that named it. */
  readonly naming: Map<string, number> = new Map()
  records = 0
  readonly #leaseTtlMs: number
  #owners = ''
  #time = 0
  #latest = 0
  #latestAtMs = 0
  /** When a transaction was last seen to keep its time. */
  #keptAtMs = 0

  constructor(store: Readable, clocks: Clocks, setting: Setting, scenarios: Scenarios, violations: Violations) {
    this.#store = store
    this.#clocks = clocks
    this.#scenarios = scenarios
    this.#violations = violations
    this.#corrupt = setting.corrupt
    this.#leaseTtlMs = setting.leaseTtlMs
    this.#epochs = new Epochs(setting.leaseTtlMs, scenarios, violations)
    this.#rows = new RowAudit(setting, this.#epochs, scenarios, violations)
    this.#rows.removed.clock = clocks.store
    this.#counters = new CounterTotals(violations)
  }

  /** Called with each row that a transaction has changed. */
  set onRowChanged(changed: (budget: BudgetRow) => void) {
    this.#rows.onChanged = changed
  }

  /** The additions to each counter. */
  get counters(): UnitSums {
    return this.#counters.sums
  }

  /** A process has received the answer that gives it this epoch. */
  own(epoch: number, totals: ProcessTotals): void {
    this.#epochs.own(epoch, totals)
  }

  epoch(epoch: number | null): EpochView | undefined {
    return epoch === null ? undefined : this.#epochs.of(epoch)
  }

  /** O11: the upper bound of every owner's time: the latest store time plus the time since then. ms since 1970. */
  get latestTime(): number {
    return this.#latest + Math.ceil(this.#clocks.trueMs() - this.#latestAtMs)
  }

  async joined(label: string, { epoch, time }: Joined): Promise<void> {
    const isNew = this.#epochs.of(epoch) === undefined
    this.#check(() => must(isNew, 'S2', () => `epoch ${epoch} was given twice`))
    const before = this.rows
    const owners = await this.#look(time, true, null)
    const row = owners.get(epoch)
    this.#check(() => must(row !== undefined, 'S1', () => `epoch ${epoch} was given and is not stored`))
    if (row !== undefined && isNew) this.#epochs.begin(label, row)
    this.#rows.compare(before, this.rows, this.#time)
  }

  /** An engine called for upkeep. Its answer has no time: it is the clock's, unless store time is ahead of the clock. */
  async upkept(epoch: number): Promise<void> {
    const now = this.#clocks.store()
    const before = this.rows
    // Ahead of the clock, store time goes on at half its speed, also in transactions that were not seen.
    const isKnown = now >= this.#time + Math.ceil(this.#clocks.trueMs() - this.#keptAtMs)
    const time = isKnown ? now : this.latestTime
    await this.#look(time, isKnown ? 'if changed' : false, epoch)
    this.#rows.compare(before, this.rows, time)
  }

  /** Calls have waited for the store's lock, which is free now. */
  stoodStill(waitedMs: number): void {
    if (waitedMs < STANDSTILL_MIN_MS) return
    const now = this.#clocks.store()
    // In whole ms: the store may have counted one more or less.
    this.#epochs.spare({ cause: 'standstill', from: now - Math.floor(waitedMs) + 2, until: now + this.#leaseTtlMs })
  }

  /** The store's clock is another one now. */
  clockSet(): void {
    this.#epochs.clockSet()
  }

  async exchanged(batch: Batch, answer: Answer): Promise<void> {
    this.exchanges += 1
    for (const entry of batch.entries) {
      if (entry.kind !== 'budget') continue
      const name = rowName(entry.key, entry.period)
      this.naming.set(name, (this.naming.get(name) ?? 0) + 1)
    }
    const view = this.#epochs.of(batch.epoch)
    const expected = kindFor(view, batch)
    const before = this.rows
    const keepsTime = answer.kind === 'applied' || answer.kind === 'replayed'
    const owners = await this.#look(answer.time, keepsTime || 'if changed', batch.epoch)
    if (answer.kind === 'breach') {
      this.#check(() => this.#assertBreach(answer))
      this.#rows.compare(before, this.rows, this.#time)
      return
    }
    this.#check(() =>
      must(
        answer.kind === expected,
        'S2',
        () => `batch ${batch.epoch}/${batch.seq} was answered ${answer.kind}, not ${expected}`,
      ),
    )
    const remembers = answer.kind !== 'fenced' || answer.last !== null
    const isForgotten = owners.get(batch.epoch) === undefined && this.#time > EPOCH_KEPT_MS
    this.#check(() => must(remembers || isForgotten, 'S2', () => `epoch ${batch.epoch} was forgotten`))
    this.#answered(batch, answer, view, before)
  }

  #answered(
    batch: Batch,
    answer: AppliedAnswer | FencedAnswer | RefusedAnswer,
    view: EpochView | undefined,
    before: ReadonlyMap<string, RowView>,
  ): void {
    if (answer.kind === 'applied' && view !== undefined) return this.#applied(appliedBatch(batch, answer, view), before)
    if (answer.kind === 'replayed' && view !== undefined) {
      this.#check(() => this.#epochs.replayed(view, batch, answer))
      this.#check(() => assertFigures(batch, answer, this.rows, this.#epochs))
    }
    if (answer.kind === 'fenced' && answer.last !== null) {
      const { last } = answer
      this.#check(() => this.#epochs.fenced(view, batch, last))
    }
    if (answer.kind === 'stale') this.#scenarios.note('3 late request, stale')
    this.#rows.compare(before, this.rows, this.#time)
  }

  #applied(applied: AppliedBatch, before: ReadonlyMap<string, RowView>): void {
    const { batch, answer, view } = applied
    this.#epochs.applied(view, batch, answer)
    this.records += answer.written.records
    this.#scenarios.noteSizes(batch, answer)
    this.#check(() => assertFigures(batch, answer, this.rows, this.#epochs))
    const changed = this.#rows.compare(before, this.rows, this.#time, applied) + this.#counters.add(applied)
    for (const name of indexByRow(applied).keys())
      if (this.#rows.wasRemoved(name)) this.#scenarios.note('27 late exchange for a removed row')
    const written = answer.written.records
    this.#check(() =>
      must(written === changed, 'L7', () => `${written} records were counted for ${changed} net changes`),
    )
    if (!batch.close) return
    for (const [name, row] of this.rows)
      this.#check(() =>
        must(!row.leases.has(view.epoch), 'S9', () => `epoch ${view.epoch} was closed and holds a lease of ${name}`),
      )
  }

  /** S6: only the budget with corrupt entries may be refused. L2: the store rejected a result that does not balance. */
  #assertBreach(answer: RefusedAnswer): void {
    const { row } = answer
    if (row !== undefined && row.key === this.#corrupt) return this.#scenarios.note('30 one key is refused')
    this.#check(() => must(false, 'L2', () => `the store refused its own result: ${answer.detail}`))
    must(false, 'S6', () => `breach: ${JSON.stringify(answer)}`)
  }

  /**
   * Reads the whole store again.
   * @param keeps whether the transaction keeps its time. A refused exchange does not, but upkeep before it does when it changed anything
   * @param present the epoch that called
   */
  async #look(
    time: number,
    keeps: boolean | 'if changed',
    present: number | null,
  ): Promise<ReadonlyMap<number, OwnerRow>> {
    if (keeps === true) this.#keepTime(time)
    this.#latest = Math.max(this.latestTime, time, this.#clocks.store())
    this.#latestAtMs = this.#clocks.trueMs()
    const before = this.rows
    const { rows } = await this.#store.list()
    const owners = new Map((await this.#store.owners()).map((owner) => [owner.epoch, owner]))
    this.rows = new Map(rows.map((row) => [rowName(row.budget.key, row.budget.period), rowViewOf(row)]))
    const holding = new Set([...before.values()].flatMap(({ leases }) => [...leases.keys()]))
    const ended = this.#epochs.follow(owners, Math.max(time, this.#time), present, holding)
    const ownersBefore = this.#owners
    this.#owners = JSON.stringify([...owners.values()])
    const isOther = ended.length > 0 || ownersBefore !== this.#owners || isChanged(before, this.rows)
    for (const epoch of ended)
      this.#scenarios.noteEnded([...before.values()].filter(({ leases }) => leases.has(epoch)).length)
    if (keeps === 'if changed' && isOther) this.#keepTime(time)
    return owners
  }

  #keepTime(time: number): void {
    const before = this.#time
    this.#check(() => must(time >= before, 'S1', () => `store time went back from ${before} to ${time}`))
    this.#time = Math.max(time, before)
    const unseenMs = this.#clocks.trueMs() - this.#keptAtMs
    this.#keptAtMs = this.#clocks.trueMs()
    if (before === 0 || time - before <= LEAP_MIN_MS) return
    // A transaction that shows nothing, as of upkeep, may have recorded the leap since then.
    const until = time + this.#leaseTtlMs - Math.ceil(unseenMs)
    this.#epochs.spare({ cause: 'leap', from: before, until })
    this.#rows.removed.keepUntil = until
    if (time - before > YEAR_MS) this.#scenarios.note('41 clock ten years ahead')
  }

  #check(check: () => void): void {
    this.#violations.attempt(check)
  }
}

/** Whether a row was removed, or a lease burned. */
function isChanged(before: ReadonlyMap<string, RowView>, after: ReadonlyMap<string, RowView>): boolean {
  for (const [name, was] of before) {
    const row = after.get(name)
    if (row === undefined || !isSame({ name, was, row })) return true
  }
  return false
}
