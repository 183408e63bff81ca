import type { Answer, Batch, BudgetRow, Joined, ListPage, OwnerRow } from '../../../packages/vsa/dist/index.js'
import { type AppliedBatch, countersChanged, indexByRow, isRecord, settlingOf } from './applied-batch.ts'
import { EpochBook } from './epoch-book.ts'
import { type EpochView, kindFor } from './epoch-view.ts'
import { LeaseBounds } from './lease-bounds.ts'
import { MintBook } from './mint-book.ts'
import { type ProcessBooks, rowName, Sums } from './process-books.ts'
import type { Reached } from './reached.ts'
import { RemovedRows } from './removed-rows.ts'
import { assertFigures, assertHeld, assertMayBegin, assertMinted, assertSpent, assertUntouched } from './row-rules.ts'
import { RowScenarios } from './row-scenarios.ts'
import { assertBalanced, isSame, type RowChange, type RowView, rowViewOf } from './row-view.ts'
import type { Setting } from './script.ts'
import type { Auditor } from './store-host.ts'
import { must } from './violation.ts'

/** A closed epoch is remembered this long. */
const EPOCH_KEPT_MS = 7 * 86_400_000

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
 * Looks at the whole store after each of its transactions, and holds what changed to the rules (S1 to S10), with books of its own:
 * what each first application settled, granted and took back. Reads the store's rows, believes none of its sums.
 */
export class StoreAudit implements Auditor {
  readonly #store: Readable
  readonly #clocks: Clocks
  readonly #reached: Reached
  readonly #corrupt: string | null
  readonly #changed: (budget: BudgetRow) => void
  readonly #epochs: EpochBook
  readonly #removed: RemovedRows
  readonly #mints: MintBook
  readonly #bounds: LeaseBounds
  readonly #scenarios: RowScenarios
  readonly counters: Sums = new Sums()
  rows: ReadonlyMap<string, RowView> = new Map()
  exchanges = 0
  records = 0
  #time = 0
  #latest = 0
  #latestAtMs = 0

  /** @param changed told of each row that a transaction has changed */
  constructor(
    store: Readable,
    clocks: Clocks,
    setting: Setting,
    reached: Reached,
    changed: (budget: BudgetRow) => void,
  ) {
    this.#store = store
    this.#clocks = clocks
    this.#reached = reached
    this.#corrupt = setting.corrupt
    this.#changed = changed
    this.#epochs = new EpochBook(setting.leaseTtlMs, reached)
    this.#removed = new RemovedRows(this.#epochs)
    this.#mints = new MintBook(reached)
    this.#bounds = new LeaseBounds(setting.budgets)
    this.#scenarios = new RowScenarios(reached)
  }

  /** A process has heard that this epoch is its own. */
  own(epoch: number, books: ProcessBooks): void {
    this.#epochs.own(epoch, books)
  }

  epoch(epoch: number | null): EpochView | undefined {
    return epoch === null ? undefined : this.#epochs.of(epoch)
  }

  /** O11: no owner's time may be past this: the latest that the store has ever said, and what has passed since. ms since 1970. */
  get latestTime(): number {
    return this.#latest + Math.ceil(this.#clocks.trueMs() - this.#latestAtMs)
  }

  async joined(label: string, { epoch, time }: Joined): Promise<void> {
    must(this.#epochs.of(epoch) === undefined, 'S2', () => `epoch ${epoch} was given twice`)
    const before = this.rows
    const owners = await this.#look(time, true)
    const row = owners.get(epoch)
    must(row !== undefined, 'S1', () => `epoch ${epoch} was given and is not kept`)
    this.#epochs.begin(label, row)
    this.#compare(before)
  }

  async exchanged(batch: Batch, answer: Answer): Promise<void> {
    this.exchanges += 1
    const view = this.#epochs.of(batch.epoch)
    const expected = kindFor(view, batch)
    const before = this.rows
    const owners = await this.#look(answer.time, answer.kind === 'applied' || answer.kind === 'replayed')
    if (answer.kind === 'breach') {
      must(answer.row?.key === this.#corrupt, 'S6', () => `breach: ${JSON.stringify(answer)}`)
      this.#reached.note('30 one key is refused')
      return this.#compare(before)
    }
    const remembers = answer.kind !== 'fenced' || answer.last !== null
    const isForgotten = owners.get(batch.epoch) === undefined && this.#time > EPOCH_KEPT_MS
    must(
      answer.kind === expected,
      'S2',
      () => `batch ${batch.epoch}/${batch.seq} was answered ${answer.kind}, not ${expected}`,
    )
    must(remembers || isForgotten, 'S2', () => `epoch ${batch.epoch} was forgotten`)
    if (answer.kind === 'applied' && view !== undefined) return this.#applied({ batch, answer, view }, before)
    if (answer.kind === 'replayed' && view !== undefined) {
      this.#epochs.replayed(view, batch, answer)
      assertFigures(batch, answer, this.rows)
    }
    if (answer.kind === 'fenced' && answer.last !== null) this.#epochs.fenced(view, batch, answer.last)
    if (answer.kind === 'stale') this.#reached.note('3 late request, stale')
    this.#compare(before)
  }

  #applied(applied: AppliedBatch, before: ReadonlyMap<string, RowView>): void {
    const { batch, answer, view } = applied
    this.#epochs.applied(view, batch, answer)
    this.records += answer.written.records
    assertFigures(batch, answer, this.rows)
    this.#compare(before, applied)
    if (!batch.close) return
    for (const row of this.rows.values())
      must(!row.leases.has(view.epoch), 'S9', () => `epoch ${view.epoch} was closed and holds a lease`)
  }

  /** Reads everything anew. @param time store time. @param keeps whether the transaction keeps it: a refused one does not */
  async #look(time: number, keeps: boolean): Promise<ReadonlyMap<number, OwnerRow>> {
    if (keeps) {
      must(time >= this.#time, 'S1', () => `store time went back from ${this.#time} to ${time}`)
      this.#time = time
    }
    this.#latest = Math.max(this.latestTime, time, this.#clocks.store())
    this.#latestAtMs = this.#clocks.trueMs()
    const { rows } = await this.#store.list()
    const owners = new Map((await this.#store.owners()).map((owner) => [owner.epoch, owner]))
    this.rows = new Map(rows.map((row) => [rowName(row.budget.key, row.budget.period), rowViewOf(row)]))
    this.#epochs.follow(owners, Math.max(time, this.#time))
    return owners
  }

  /** Holds every row that changed to the rules. @param applied the batch that was applied, if one was */
  #compare(before: ReadonlyMap<string, RowView>, applied?: AppliedBatch): void {
    if (applied !== undefined) this.#count(applied)
    const indices = applied === undefined ? new Map<string, number>() : indexByRow(applied)
    const settledAndGone = applied === undefined ? [] : this.#removed.settledBy(applied, before, this.rows)
    let records = 0
    for (const [name, row] of [...this.rows, ...settledAndGone]) {
      const change = { name, was: before.get(name), row }
      const index = indices.get(name)
      if (index === undefined && isSame(change)) continue
      assertBalanced(row)
      const burned = this.#burn(change, applied?.view.epoch)
      if (index === undefined || applied === undefined) assertUntouched(change, burned)
      else if (this.#settle(change, burned, applied, index)) records += 1
      this.#bounds.assertWithin(name, row)
      this.#changed(row.budget)
      this.#scenarios.changed(change)
    }
    for (const [name, row] of before)
      if (!this.rows.has(name)) this.#removed.remove(name, row, this.#time, applied?.view)
    if (applied === undefined) return
    for (const name of indices.keys())
      if (this.#removed.has(name)) this.#reached.note('27 late exchange for a removed row')
    const changed = records + countersChanged(applied)
    const written = applied.answer.written.records
    must(written === changed, 'L7', () => `${written} records were counted for ${changed} net changes`)
  }

  /** L3: each counter is what was added to it. */
  #count({ batch, answer, view }: AppliedBatch): void {
    for (const [index, entry] of batch.entries.entries()) {
      const said = answer.entries[index]
      if (entry.kind !== 'counter' || said?.kind !== 'counter') continue
      if (!said.overflow) {
        this.counters.add(entry.key, entry.add)
        view.books?.counted.add(entry.key, entry.add)
      }
      const value = this.counters.of(entry.key)
      must(said.value === value, 'L3', () => `counter ${entry.key} is ${said.value}, and ${value} was added`)
    }
  }

  /** S8, L4: leases of ended epochs that are there no more have burned, and nobody else's lease was touched. @returns units burned */
  #burn({ name, was, row }: RowChange, present: number | undefined): number {
    let units = 0
    for (const [epoch, held] of was?.leases ?? []) {
      const now = row.leases.get(epoch) ?? 0
      if (epoch === present || now === held) continue
      const view = this.#epochs.of(epoch)
      must(
        now === 0 && view?.end === 'reaped',
        'S8',
        () => `${name}: the lease of epoch ${epoch} went from ${held} to ${now}`,
      )
      units += held
      view.books?.burned.add(name, held)
      view.books?.held.add(name, -held)
    }
    const burned = row.budget.burned - (was?.budget.burned ?? 0)
    must(burned === units, 'S8', () => `${name}: ${burned} burned, and dead leases were ${units}`)
    return units
  }

  /** S3, S4, S5: what the entry did to the row. @returns whether units changed (L7) */
  #settle(change: RowChange, burned: number, applied: AppliedBatch, index: number): boolean {
    const { name, was } = change
    const settling = settlingOf(applied, index, change)
    if (settling === undefined) {
      // Refused, because it was not there; it cannot be there now.
      must(was !== undefined, 'S4', () => `${name} was refused, and made`)
      assertUntouched(change, burned)
      return false
    }
    const { entry, said, taken, heldBefore, held } = settling
    if (was === undefined) {
      must(!this.#removed.has(name), 'L1', () => `${name} had been removed, and is a fresh budget now`)
      assertMayBegin(name, entry, this.#time)
    }
    assertSpent(settling)
    const minted = this.#mints.mint(entry, said.mint)
    assertMinted(settling, minted)
    assertHeld(settling, this.#time)
    const { books } = applied.view
    books?.settled.add(name, entry.spent + taken)
    books?.accepted.add(name, said.refunded)
    books?.held.add(name, held - heldBefore)
    this.#scenarios.settled(settling, this.#time)
    return isRecord(settling, minted)
  }
}
