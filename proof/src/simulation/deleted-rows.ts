import type { AppliedAnswer, Batch, BudgetEntry, EntryAnswer, VsaEvent } from '../../../packages/vsa/dist/index.js'
import type { AppliedBatch } from './applied-batch.ts'
import type { EpochView } from './epoch-view.ts'
import type { Epochs } from './epochs.ts'
import { type ProcessTotals, rowName } from './process-totals.ts'
import type { Held } from './reservation-moves.ts'
import type { RowView } from './row-view.ts'
import type { Scenarios } from './scenarios.ts'
import { must } from './violation.ts'

/** How long the store remembers that a key was deleted, in ms of store time. The documented value, repeated here. */
const REMEMBERED_MS = 7 * 86_400_000

/** Store time of a deletion, which does not tell it: it lies between these, ms since 1970. */
interface Moment {
  readonly earliest: number
  readonly latest: number
}

/** What one epoch has of rows that were deleted under it. */
interface Bereft {
  /** Rows of which the store must tell it with its next batch that names them. */
  readonly unheard: Set<string>
  /** Rows of which it was told, until its process reports it. */
  readonly told: Set<string>
  /** Rows that it was told to be gone, by the answer to a batch from before: its process reports what it has spent since, if it has. */
  readonly gone: Set<string>
  /** Units that were leased to it, until its process reports it: it may spend them. */
  readonly leases: Map<string, number>
}

/** P6: keys that were deleted, and the owners of their leases, which go on spending until they hear of it. */
export class DeletedRows {
  readonly #epochs: Epochs
  readonly #scenarios: Scenarios
  readonly #last = new Map<string, Moment>()
  readonly #times = new Map<string, number>()
  readonly #bereft = new Map<number, Bereft>()
  /** Called with the name of a row that was deleted, and how many units had left its pool, except by reservations. */
  onDeleted: (name: string, units: number) => void = () => undefined

  constructor(epochs: Epochs, scenarios: Scenarios) {
    this.#epochs = epochs
    this.#scenarios = scenarios
  }

  /** How often the store has deleted the key, whole or in part. */
  timesOf(key: string): number {
    return this.#times.get(key) ?? 0
  }

  /** The store has deleted the key, whole or in part. */
  deleted(key: string, moment: Moment): void {
    this.#times.set(key, this.timesOf(key) + 1)
    this.#last.set(key, moment)
    this.#scenarios.note('16 deleted')
  }

  /** @param held what reservations had of it */
  remove(name: string, { budget, leases }: RowView, held: Held): void {
    for (const [epoch, units] of leases) {
      const { unheard, leases: lost } = this.#of(epoch)
      unheard.add(name)
      lost.set(name, units)
      const { totals } = this.#epochs.of(epoch) ?? {}
      totals?.held.add(name, -units)
      totals?.unheard.add(name, units)
    }
    if (leases.size > 0) this.#scenarios.note('16 deleted while leased')
    const { minted, pool } = budget
    this.onDeleted(name, minted - pool - held.used - held.reserved)
  }

  /** The owner of a lease hears of it, once; and so does one that knew a row which is not there. @throws Violation */
  assertAnswered({ batch, answer, view }: AppliedBatch, rows: ReadonlyMap<string, RowView>, time: number): void {
    for (const [index, entry] of batch.entries.entries()) {
      const said = answer.entries[index]
      if (entry.kind === 'budget' && said !== undefined) this.#assertEntry(entry, said, view, rows, time)
    }
  }

  #assertEntry(
    entry: BudgetEntry,
    said: EntryAnswer,
    { epoch }: EpochView,
    rows: ReadonlyMap<string, RowView>,
    time: number,
  ): void {
    const name = rowName(entry.key, entry.period)
    const { unheard, told } = this.#of(epoch)
    const isGone = entry.known && !rows.has(name)
    const text = (): string =>
      `${name}: epoch ${epoch}, which sent ${JSON.stringify(entry)}, was answered ${said.kind} at ${time}; the key was deleted ${JSON.stringify(this.#last.get(entry.key))}`
    const isDeleted = said.kind === 'deleted'
    if (unheard.has(name)) must(isDeleted, 'P6', text)
    else if (isDeleted) must(isGone && this.#isRemembered(entry.key, time) !== 'no', 'P6', text)
    else if (isGone) must(this.#isRemembered(entry.key, time) !== 'yes', 'P6', text)
    if (said.kind === 'row_lost' && this.timesOf(entry.key) > 0) {
      this.#scenarios.note('16 a week after a deletion')
      // The process that deletes takes it for that.
      told.add(name)
    }
    if (!isDeleted) return
    this.#scenarios.note(unheard.has(name) ? '16 the owner of a deleted lease hears' : '16 one that knew it hears')
    unheard.delete(name)
    told.add(name)
  }

  /** S2: what was applied before a deletion is answered as gone, although there may be a fresh row. @throws Violation */
  assertReplayed({ epoch, outcome }: EpochView, batch: Batch, answer: AppliedAnswer): void {
    for (const [index, entry] of batch.entries.entries()) {
      const said = answer.entries[index]
      const note = outcome.notes[index]
      if (entry.kind !== 'budget' || said === undefined || note?.noRow !== undefined) continue
      const name = rowName(entry.key, entry.period)
      const { unheard, gone } = this.#of(epoch)
      const isUnheard = unheard.has(name)
      const text = (): string => `${name}: seq ${batch.seq} of epoch ${epoch} was repeated, and answered ${said.kind}`
      must(!isUnheard || said.kind === 'removed', 'P6', text)
      must(said.kind !== 'removed' || note?.mint === undefined || this.timesOf(entry.key) > 0, 'S2', text)
      if (!isUnheard) continue
      this.#scenarios.note('16 a batch from before a deletion is repeated')
      gone.add(name)
    }
  }

  /** The event of a process. @throws Violation */
  reported(epoch: number | null, totals: ProcessTotals, event: Extract<VsaEvent, { readonly type: 'deleted' }>): void {
    const { key, period, units } = event
    const name = rowName(key, period)
    const { told, gone, leases } = this.#of(epoch ?? 0)
    const isTold = (gone.delete(name) && units > 0) || told.delete(name)
    must(isTold, 'P6', () => `epoch ${epoch} was not told what it reports: ${JSON.stringify(event)}`)
    const lease = leases.get(name) ?? 0
    must(units <= lease, 'P6', () => `epoch ${epoch} spent more than its lease of ${lease}: ${JSON.stringify(event)}`)
    if (units > 0) this.#scenarios.note('16 spent from a deleted lease')
    leases.delete(name)
    totals.unheard.add(name, -lease)
    totals.lost.add(name, units)
  }

  #isRemembered(key: string, time: number): 'yes' | 'no' | 'unknown' {
    const last = this.#last.get(key)
    const from = time - REMEMBERED_MS
    if (last === undefined || last.latest < from) return 'no'
    return last.earliest >= from ? 'yes' : 'unknown'
  }

  #of(epoch: number): Bereft {
    const bereft = this.#bereft.get(epoch) ?? {
      unheard: new Set(),
      told: new Set(),
      gone: new Set(),
      leases: new Map(),
    }
    this.#bereft.set(epoch, bereft)
    return bereft
  }
}
