import type { AppliedAnswer, Batch, OwnerRow } from '../../../packages/vsa/dist/index.js'
import { type EpochView, outcomeOf, viewOf } from './epoch-view.ts'
import type { ProcessTotals } from './process-totals.ts'
import type { RowView } from './row-view.ts'
import type { Scenarios } from './scenarios.ts'
import { must } from './violation.ts'
import type { Violations } from './violations.ts'

/** An owner that holds nothing keeps its epoch for so long, as one of so many. How an epoch ended is known for as long. */
const OWNER_KEPT_MS = 7 * 86_400_000
const IDLE_OWNERS_MAX = 256

/** Owners that had not expired at `from` are spared until `until`, in store time. */
interface Spared {
  readonly cause: 'leap' | 'standstill'
  readonly from: number
  readonly until: number
}

/** The expected state of all epochs: which process owns each, what was applied, how it ended. */
export class Epochs {
  readonly #leaseTtlMs: number
  readonly #scenarios: Scenarios
  readonly #violations: Violations
  readonly #epochs = new Map<number, EpochView>()
  #spared: Spared[] = []
  #holding: ReadonlySet<number> = new Set()

  constructor(leaseTtlMs: number, scenarios: Scenarios, violations: Violations) {
    this.#leaseTtlMs = leaseTtlMs
    this.#scenarios = scenarios
    this.#violations = violations
  }

  of(epoch: number): EpochView | undefined {
    return this.#epochs.get(epoch)
  }

  /** The leases on a row: units of closed epochs, which count as burned, and the owners alive that hold the others. */
  leasesOf({ leases }: RowView): { readonly burned: number; readonly alive: number } {
    let burned = 0
    let alive = 0
    for (const [epoch, held] of leases) {
      if (this.#epochs.get(epoch)?.end === null) alive += 1
      else burned += held
    }
    return { burned, alive }
  }

  /** A process with that label joined, and this is its row in the store. */
  begin(label: string, row: OwnerRow): void {
    const isNamesake = [...this.#epochs.values()].some((other) => other.end === null && other.label === label)
    if (isNamesake) this.#scenarios.note('6 two processes with one name')
    this.#epochs.set(row.epoch, viewOf(row))
  }

  /** A process has received the answer that gives it this epoch. */
  own(epoch: number, totals: ProcessTotals): void {
    const view = this.#epochs.get(epoch)
    if (view !== undefined) view.totals = totals
  }

  applied(view: EpochView, batch: Batch, answer: AppliedAnswer): void {
    view.seq = batch.seq
    view.outcome = outcomeOf(answer)
    this.#renew(view, answer)
    if (batch.close) view.end = 'closed'
  }

  /** @throws Violation */
  replayed(view: EpochView, batch: Batch, answer: AppliedAnswer): void {
    if (batch.takes.length > 0) this.#scenarios.note('25 take repeated')
    this.#renew(view, answer)
    // S6: the answer for an entry that is now void was kept by its index.
    const isVoid = (index: string): boolean => batch.entries[Number(index)]?.kind === 'void'
    // P6: the mint is gone with the row.
    const isRemoved = (index: string): boolean => answer.entries[Number(index)]?.kind === 'removed'
    assertOutcome(view, outcomeOf(answer), isVoid, isRemoved)
  }

  #renew(view: EpochView, { time }: AppliedAnswer): void {
    view.expiresAt = Math.max(view.expiresAt, time + this.#leaseTtlMs)
  }

  /** @throws Violation */
  fenced(
    view: EpochView | undefined,
    batch: Batch,
    last: { readonly seq: number; readonly outcome: EpochView['outcome'] },
  ): void {
    this.#scenarios.note('3 late request, fenced')
    if (batch.takes.length > 0) this.#scenarios.note('25 take answered after fencing')
    if (batch.close && view?.end === 'reaped') this.#scenarios.note('31 close after its epoch was reaped')
    must(last.seq === view?.seq, 'S2', () => `fenced with seq ${last.seq}, not ${view?.seq}`)
    if (view !== undefined) assertOutcome(view, last.outcome)
  }

  /**
   * The owners of the store after a transaction.
   * @param time store time of the transaction, ms since 1970: a refused exchange reaps as well
   * @param present the epoch that called
   * @param holding the epochs that held leases before it
   * @returns the epochs that were reaped since the last transaction
   */
  follow(
    owners: ReadonlyMap<number, OwnerRow>,
    time: number,
    present: number | null,
    holding: ReadonlySet<number>,
  ): readonly number[] {
    this.#holding = holding
    const ended: number[] = []
    for (const view of this.#epochs.values()) {
      const wasOpen = view.end === null
      this.#violations.attempt(() => this.#followOwner(view, owners.get(view.epoch), time, present))
      if (wasOpen && view.end !== null) ended.push(view.epoch)
    }
    return ended
  }

  /** They could not renew, or could not know that they must. */
  spare(spared: Spared): void {
    this.#spared.push(spared)
  }

  /** The store's clock was set, by which the stores of this harness measure how long ago they stood still. */
  clockSet(): void {
    this.#spared = this.#spared.filter(({ cause }) => cause !== 'standstill')
  }

  /** S8: an epoch ends by its own closing batch, or when store time passes its expiry. */
  #followOwner(view: EpochView, row: OwnerRow | undefined, time: number, present: number | null): void {
    if (view.end !== null) {
      view.isForgotten ||= row === undefined && time - view.expiresAt > OWNER_KEPT_MS
      return must(row?.state !== 'open', 'S9', () => `epoch ${view.epoch} ended, and was opened again`)
    }
    view.storedExpiresAt = row?.expiresAt ?? view.storedExpiresAt
    if (row?.state === 'open') return
    // Its own closing batch is checked when it is answered.
    if (row !== undefined && row.seq > view.seq) return
    view.end = 'reaped'
    must(view.epoch !== present, 'S8', () => `epoch ${view.epoch} was reaped by its own exchange`)
    must(
      time > view.expiresAt,
      'S8',
      () => `epoch ${view.epoch} was reaped at ${time}, before its expiry at ${view.expiresAt}`,
    )
    // At its last exchange.
    const seenAt = view.expiresAt - this.#leaseTtlMs
    const spared = this.#spared.find(({ from, until }) => time <= until && view.expiresAt >= from)
    must(
      spared === undefined,
      'S8',
      () =>
        `epoch ${view.epoch} was reaped at ${time}; it had not expired at ${spared?.from}, and is spared until ${spared?.until}`,
    )
    must(
      this.#holding.has(view.epoch) || time - seenAt > OWNER_KEPT_MS || this.#epochs.size > IDLE_OWNERS_MAX,
      'S8',
      () => `epoch ${view.epoch} held nothing, and was reaped at ${time}`,
    )
    if (time - view.expiresAt <= 20) this.#scenarios.note('21 reaper and renewal within 20 ms')
  }
}

/** @throws Violation */
function assertOutcome(
  view: EpochView,
  answered: EpochView['outcome'],
  isSkipped: (index: string) => boolean = () => false,
  isRemoved: (index: string) => boolean = () => false,
): void {
  const told = ({ notes }: EpochView['outcome']): readonly unknown[] =>
    Object.entries(notes).flatMap(([index, note]) => {
      if (isSkipped(index)) return []
      if (!isRemoved(index)) return [[index, note]]
      const refunded = note.refunded ?? 0
      return refunded > 0 ? [[index, { refunded }]] : []
    })
  const textOf = (outcome: EpochView['outcome']): string =>
    JSON.stringify({ granted: outcome.granted, credits: outcome.credits, notes: told(outcome) })
  const [kept, said] = [textOf(view.outcome), textOf(answered)]
  must(
    kept === said,
    'S2',
    () => `seq ${view.seq} of epoch ${view.epoch} had the outcome ${kept}, and is answered with ${said}`,
  )
}
