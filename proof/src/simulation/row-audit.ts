import type { BudgetRow } from '../../../packages/vsa/dist/index.js'
import { type AppliedBatch, indexByRow, isRecord, type Settling, settlingOf } from './applied-batch.ts'
import type { Epochs } from './epochs.ts'
import type { DeletedRows } from './deleted-rows.ts'
import { LeaseBounds } from './lease-bounds.ts'
import { Mints } from './mints.ts'
import type { Held, ReservationSums } from './reservation-moves.ts'
import { RemovedRows } from './removed-rows.ts'
import {
  assertDenialFree,
  assertHeld,
  assertMayBegin,
  assertMinted,
  assertReserved,
  assertSpent,
  assertUntouched,
} from './row-rules.ts'
import { RowScenarios } from './row-scenarios.ts'
import { assertBalanced, isSame, type RowChange, type RowView } from './row-view.ts'
import type { Scenarios } from './scenarios.ts'
import type { Setting } from './script.ts'
import { must } from './violation.ts'
import type { Violations } from './violations.ts'

/** What reservations hold of the rows, and what of it one transaction moved. */
export interface RowReservations {
  readonly sums: ReservationSums
  readonly moves: ReservationSums
}

/** What changes a row: an entry of a batch, by its index, and reservations. */
interface EntryCause {
  readonly applied: AppliedBatch
  readonly index: number
  readonly moved: Held
}

type RowCause =
  | EntryCause
  | { readonly applied: AppliedBatch | undefined; readonly index: undefined; readonly moved: Held }

/** Checks the changes of one transaction to the budget rows. */
export class RowAudit {
  readonly #epochs: Epochs
  readonly #deletions: DeletedRows
  readonly #violations: Violations
  readonly #removed: RemovedRows
  readonly #mints: Mints
  readonly #bounds: LeaseBounds
  readonly #scenarios: RowScenarios
  readonly #slices: Scenarios
  /** Called with each row that a transaction has changed. */
  onChanged: (budget: BudgetRow) => void = () => undefined
  /** Called with the name of a row, and how many of its units a reset has given back (P5). */
  onReset: (name: string, units: number) => void = () => undefined

  constructor(setting: Setting, epochs: Epochs, deletions: DeletedRows, scenarios: Scenarios, violations: Violations) {
    this.#epochs = epochs
    this.#deletions = deletions
    this.#violations = violations
    this.#removed = new RemovedRows(epochs)
    this.#mints = new Mints(scenarios)
    this.#bounds = new LeaseBounds(setting, epochs)
    this.#scenarios = new RowScenarios(scenarios)
    this.#slices = scenarios
  }

  /** S10: what removed rows are checked against. */
  get removed(): RemovedRows {
    return this.#removed
  }

  wasRemoved(name: string): boolean {
    return this.#removed.has(name)
  }

  /**
   * @param time store time, ms since 1970
   * @param reservations what they hold now, and what of it was moved
   * @param applied the batch that was applied, if one was
   * @returns L7: rows whose units changed otherwise than between pool and lease
   */
  compare(
    before: ReadonlyMap<string, RowView>,
    rows: ReadonlyMap<string, RowView>,
    time: number,
    reservations: RowReservations,
    applied?: AppliedBatch,
  ): number {
    const indices = applied === undefined ? new Map<string, number>() : indexByRow(applied)
    let records = 0
    for (const [name, row] of rows) {
      const change = { name, was: before.get(name), row }
      const index = indices.get(name)
      const moved = reservations.moves.of(name)
      this.#check(() => assertReserved(name, row, reservations.sums.of(name)))
      if (index === undefined && moved.used === 0 && moved.reserved === 0 && isSame(change)) {
        // An epoch may have ended without a change of the row.
        this.#check(() => this.#bounds.assertBurned(name, row))
        continue
      }
      if (this.#compareRow(change, time, causeOf(applied, index, moved))) records += 1
    }
    this.#removeGone(before, rows, time, reservations.moves, applied)
    return records
  }

  /**
   * P6: a key was deleted. Of rows of other keys only reservations have changed something.
   * @param held what reservations had of its rows
   * @param isDone nothing of it may be left
   */
  deleted(
    before: ReadonlyMap<string, RowView>,
    rows: ReadonlyMap<string, RowView>,
    time: number,
    reservations: RowReservations,
    { key, held, isDone }: { readonly key: string; readonly held: ReservationSums; readonly isDone: boolean },
  ): void {
    const others = new Map(before)
    for (const [name, row] of before) {
      if (row.budget.key !== key) continue
      if (rows.has(name)) {
        this.#check(() => must(!isDone, 'P6', () => `${name} is there, and its key was deleted`))
        continue
      }
      others.delete(name)
      this.#deletions.remove(name, row, held.of(name))
      this.#bounds.forget(name)
    }
    if (isDone) this.#mints.forget(key)
    this.compare(others, rows, time, reservations)
  }

  /** @returns whether units changed otherwise than between pool and lease (L7) */
  #compareRow(change: RowChange, time: number, cause: RowCause): boolean {
    const { name, row } = change
    this.#check(() => assertBalanced(row))
    const burned = this.#burn(change, cause)
    let isRecordOfItsOwn = false
    if (cause.index === undefined) {
      this.#check(() => assertUntouched(change, burned, cause.moved))
      isRecordOfItsOwn = isRecord(change, 0)
    } else isRecordOfItsOwn = this.#settle(change, burned, cause, time)
    this.#check(() => this.#bounds.assertLeases(name, row))
    this.#check(() => this.#bounds.assertBurned(name, row))
    this.onChanged(row.budget)
    this.#scenarios.changed(change)
    return isRecordOfItsOwn
  }

  #removeGone(
    before: ReadonlyMap<string, RowView>,
    rows: ReadonlyMap<string, RowView>,
    time: number,
    moves: ReservationSums,
    applied: AppliedBatch | undefined,
  ): void {
    let removed = 0
    for (const [name, row] of before) {
      if (rows.has(name)) continue
      removed += 1
      this.#check(() => this.#removed.remove(name, row, time, moves.of(name), applied?.view))
    }
    this.#slices.noteRemoved(removed)
  }

  /** S8, L4: removed leases of ended epochs have burned, and the leases of other epochs did not change. @returns units burned */
  #burn({ name, was, row }: RowChange, { applied, index }: RowCause): number {
    const present = applied?.view.epoch
    const entry = index === undefined ? undefined : applied?.batch.entries[index]
    const isReset = entry?.kind === 'budget' && entry.reset === true
    let units = 0
    for (const [epoch, held] of was?.leases ?? []) {
      const now = row.leases.get(epoch) ?? 0
      if (epoch === present || now === held) continue
      const view = this.#epochs.of(epoch)
      this.#check(() =>
        must(
          now === 0 && view?.end === 'reaped',
          'S8',
          () => `${name}: the lease of epoch ${epoch} went from ${held} to ${now}`,
        ),
      )
      units += held
      view?.totals?.burned.add(name, held)
      view?.totals?.held.add(name, -held)
    }
    const burned = row.budget.burned - (was?.budget.burned ?? 0)
    // P5: what upkeep had burned before it is forgotten as well.
    if (isReset) {
      const left = row.budget.burned
      this.#check(() => must(left <= units, 'P5', () => `${name}: ${left} stay burned behind a reset, of ${units}`))
      return units
    }
    this.#check(() =>
      must(burned === units, 'S8', () => `${name}: ${burned} burned, and the leases of ended epochs were ${units}`),
    )
    return units
  }

  /** S3, S4, S5: what the entry did to the row. @returns whether units changed (L7) */
  #settle(change: RowChange, burned: number, { applied, index, moved }: EntryCause, time: number): boolean {
    const { name, was } = change
    const settling = settlingOf(applied, index, change, moved)
    if (settling === undefined) {
      // The entry was refused because the row was missing, so the row must still be missing; or there is a fresh one (P6).
      this.#check(() => must(was !== undefined, 'S4', () => `${name} was refused, and was created`))
      if (was === undefined) return false
      this.#check(() => assertUntouched(change, burned, moved))
      return isRecord(change, 0)
    }
    const { entry, said, taken, heldBefore, held } = settling
    if (was === undefined) this.#check(() => this.#assertMade(name, settling, time))
    this.#check(() => assertSpent(settling))
    let minted = 0
    this.#check(() => {
      minted = this.#mints.mint(entry, said.mint)
    })
    this.#check(() => assertMinted(settling, minted))
    this.#check(() => assertHeld(settling, time, this.#epochs))
    this.#check(() => assertDenialFree(settling, minted, burned))
    const { totals } = applied.view
    totals?.settled.add(name, entry.spent + taken)
    totals?.accepted.add(name, said.refunded)
    totals?.held.add(name, held - heldBefore)
    if (entry.reset === true) this.#reset(settling, burned)
    this.#scenarios.settled(settling, time)
    return isRecord(settling, minted)
  }

  /** P5: units that can be admitted once more. @param burned since the transaction before */
  #reset({ name, was, row, entry, said, taken, moved }: Settling, burned: number): void {
    const before = was?.budget
    const used = (before?.used ?? 0) + entry.spent - said.refunded + taken + moved.used - row.budget.used
    this.onReset(name, used + (before?.burned ?? 0) + burned - row.budget.burned)
    this.#slices.note('16 reset')
    if (row.budget.reserved > 0) this.#slices.note('16 reset beside reservations')
  }

  #assertMade(name: string, { entry }: { readonly entry: Parameters<typeof assertMayBegin>[1] }, time: number): void {
    must(!this.#removed.has(name), 'L1', () => `${name} had been removed, and was created again`)
    if (this.#deletions.timesOf(entry.key) > 0) this.#slices.note('16 a fresh budget of a deleted key')
    assertMayBegin(name, entry, time)
  }

  #check(check: () => void): void {
    this.#violations.attempt(check)
  }
}

function causeOf(applied: AppliedBatch | undefined, index: number | undefined, moved: Held): RowCause {
  return applied === undefined || index === undefined ? { applied, index: undefined, moved } : { applied, index, moved }
}
