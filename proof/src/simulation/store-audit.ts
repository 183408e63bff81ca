import type {
  Answer,
  AppliedAnswer,
  Batch,
  BudgetRow,
  FencedAnswer,
  Joined,
  OwnerRow,
  RefusedAnswer,
} from '../../../packages/vsa/dist/index.js'
import { type AppliedBatch, appliedBatch, indexByRow } from './applied-batch.ts'
import { CounterTotals } from './counter-totals.ts'
import { DeletedRows } from './deleted-rows.ts'
import { type EpochView, kindFor } from './epoch-view.ts'
import { Epochs } from './epochs.ts'
import type { ProcessTotals } from './process-totals.ts'
import { rowName, type UnitSums } from './process-totals.ts'
import { type ReservationChanges, ReservationAudit } from './reservation-audit.ts'
import { RowAudit } from './row-audit.ts'
import { assertFigures } from './row-rules.ts'
import type { RowView } from './row-view.ts'
import { areOther } from './saved-reservations.ts'
import type { Scenarios } from './scenarios.ts'
import type { Setting } from './script.ts'
import type { Auditor } from './store-host.ts'
import { StoreTime } from './store-time.ts'
import { areChanged, type Readable, readRows } from './stored-rows.ts'
import { must } from './violation.ts'
import { assertTakes } from './waterfall-rules.ts'
import type { Violations } from './violations.ts'

/** A closed epoch is remembered this long. */
const EPOCH_KEPT_MS = 7 * 86_400_000
const YEAR_MS = 365 * 86_400_000
/** A store that lets a call wait for so long stands still. */
const STANDSTILL_MIN_MS = 60

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
  readonly reservations: ReservationAudit
  readonly deletions: DeletedRows
  rows: ReadonlyMap<string, RowView> = new Map()
  exchanges = 0
  /** By row: exchanges that named it. */
  readonly naming: Map<string, number> = new Map()
  records = 0
  readonly #leaseTtlMs: number
  #owners = ''
  readonly #time: StoreTime

  constructor(store: Readable, clocks: Clocks, setting: Setting, scenarios: Scenarios, violations: Violations) {
    this.#store = store
    this.#clocks = clocks
    this.#scenarios = scenarios
    this.#violations = violations
    this.#corrupt = setting.corrupt
    this.#leaseTtlMs = setting.leaseTtlMs
    this.#epochs = new Epochs(setting.leaseTtlMs, scenarios, violations)
    this.deletions = new DeletedRows(this.#epochs, scenarios)
    this.#rows = new RowAudit(setting, this.#epochs, this.deletions, scenarios, violations)
    this.#rows.removed.clock = clocks.store
    this.#time = new StoreTime(clocks, violations)
    this.#time.onLeap = (from, to, unseenMs) => this.#leapt(from, to, unseenMs)
    this.#counters = new CounterTotals(violations)
    this.reservations = new ReservationAudit(scenarios, violations, clocks.store)
  }

  /** Called with each row that a transaction has changed. */
  set onRowChanged(changed: (budget: BudgetRow) => void) {
    this.#rows.onChanged = changed
  }

  /** See `RowAudit`. */
  set onReset(reset: (name: string, units: number) => void) {
    this.#rows.onReset = reset
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

  /** O11: the upper bound of every owner's time, ms since 1970. */
  get latestTime(): number {
    return this.#time.latest
  }

  async joined(label: string, { epoch, time }: Joined): Promise<void> {
    const isNew = this.#epochs.of(epoch) === undefined
    this.#check(() => must(isNew, 'S2', () => `epoch ${epoch} was given twice`))
    const before = this.rows
    const owners = await this.#look(time, true, null)
    const row = owners.get(epoch)
    this.#check(() => must(row !== undefined, 'S1', () => `epoch ${epoch} was given and is not stored`))
    if (row !== undefined && isNew) this.#epochs.begin(label, row)
    this.#compare(before, this.#time.now)
  }

  /** An engine called for upkeep. Its answer has no time: it is the clock's, unless store time is ahead of the clock. */
  async upkept(epoch: number): Promise<void> {
    const before = this.rows
    const { known } = this.#time
    const time = known ?? this.latestTime
    await this.#look(time, known === null ? false : 'if changed', epoch)
    this.#compare(before, time)
  }

  /** P6: a key was deleted, whole or in part. The answer has no time, as with upkeep. */
  async deleted(key: string, isDone: boolean): Promise<void> {
    const [before, held] = [this.rows, this.reservations.sums]
    const { known, now } = this.#time
    const time = known ?? this.latestTime
    await this.#look(time, known !== null, null)
    this.deletions.deleted(key, { earliest: known ?? now, latest: time })
    const { moves } = this.reservations.deleted(this.#store.reservations(), time, key)
    this.#counters.move(moves)
    const { sums } = this.reservations
    this.#rows.deleted(before, this.rows, time, { moves, sums }, { key, held, isDone })
    const isLeft = isDone && this.reservations.has(key)
    this.#check(() => must(!isLeft, 'P6', () => `${key} was deleted, and one of its reservations is there`))
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
      this.#compare(before, this.#time.now)
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
    const isForgotten = owners.get(batch.epoch) === undefined && this.#time.now > EPOCH_KEPT_MS
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
      this.#check(() => this.deletions.assertReplayed(view, batch, answer))
      this.#check(() => assertFigures(batch, answer, this.rows, this.#epochs))
    }
    if (answer.kind === 'fenced' && answer.last !== null) {
      const { last } = answer
      this.#check(() => this.#epochs.fenced(view, batch, last))
    }
    if (answer.kind === 'stale') this.#scenarios.note('3 late request, stale')
    this.#compare(before, this.#time.now)
  }

  /** A transaction that applied no batch. */
  #compare(before: ReadonlyMap<string, RowView>, time: number): void {
    const { moves } = this.#compareReservations(time)
    this.#counters.move(moves)
    this.#rows.compare(before, this.rows, time, { moves, sums: this.reservations.sums })
  }

  #compareReservations(time: number, applied?: AppliedBatch): ReservationChanges {
    return this.reservations.compare(this.#store.reservations(), time, applied)
  }

  #applied(applied: AppliedBatch, before: ReadonlyMap<string, RowView>): void {
    const { batch, answer, view } = applied
    this.#epochs.applied(view, batch, answer)
    this.records += answer.written.records
    this.#scenarios.noteSizes(batch, answer)
    this.#check(() => assertFigures(batch, answer, this.rows, this.#epochs))
    this.#check(() => this.deletions.assertAnswered(applied, this.rows, answer.time))
    const { moves, records } = this.#compareReservations(this.#time.now, applied)
    this.#check(() => assertTakes(applied, before, records !== null))
    const reservations = { moves, sums: this.reservations.sums }
    const rows = this.#rows.compare(before, this.rows, this.#time.now, reservations, applied)
    const changed = rows + this.#counters.add(applied, moves) + (records ?? 0)
    for (const name of indexByRow(applied).keys())
      if (this.#rows.wasRemoved(name)) this.#scenarios.note('27 late exchange for a removed row')
    const written = answer.written.records
    this.#check(() =>
      must(
        records === null || written === changed,
        'L7',
        () => `${written} records were counted for ${changed} net changes`,
      ),
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
    if (keeps === true) this.#time.keep(time)
    this.#time.seen(time)
    const before = this.rows
    this.rows = await readRows(this.#store)
    const owners = new Map((await this.#store.owners()).map((owner) => [owner.epoch, owner]))
    const holding = new Set([...before.values()].flatMap(({ leases }) => [...leases.keys()]))
    const ended = this.#epochs.follow(owners, Math.max(time, this.#time.now), present, holding)
    const ownersBefore = this.#owners
    this.#owners = JSON.stringify([...owners.values()])
    const isSwept = areOther(this.reservations.rows, this.#store.reservations())
    const isOther = ended.length > 0 || ownersBefore !== this.#owners || isSwept || areChanged(before, this.rows)
    for (const epoch of ended)
      this.#scenarios.noteEnded([...before.values()].filter(({ leases }) => leases.has(epoch)).length)
    if (keeps === 'if changed' && isOther) this.#time.keep(time)
    return owners
  }

  #leapt(from: number, to: number, unseenMs: number): void {
    // A transaction that shows nothing, as of upkeep, may have recorded the leap since then.
    const until = to + this.#leaseTtlMs - Math.ceil(unseenMs)
    this.#epochs.spare({ cause: 'leap', from, until })
    this.#rows.removed.keepUntil = until
    if (to - from > YEAR_MS) this.#scenarios.note('41 clock ten years ahead')
  }

  #check(check: () => void): void {
    this.#violations.attempt(check)
  }
}
