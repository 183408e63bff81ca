import type { AppliedAnswer, Batch, OwnerRow } from '../../../packages/vsa/dist/index.js'
import { type EpochView, outcomeOf, viewOf } from './epoch-view.ts'
import type { ProcessBooks } from './process-books.ts'
import type { Reached } from './reached.ts'
import { must } from './violation.ts'

/** All epochs as the store must keep them: who has them, what was applied, how each ended. */
export class EpochBook {
  readonly #leaseTtlMs: number
  readonly #reached: Reached
  readonly #epochs = new Map<number, EpochView>()

  constructor(leaseTtlMs: number, reached: Reached) {
    this.#leaseTtlMs = leaseTtlMs
    this.#reached = reached
  }

  of(epoch: number): EpochView | undefined {
    return this.#epochs.get(epoch)
  }

  /** A process of that name joined, and this is what the store keeps of it. */
  begin(label: string, row: OwnerRow): void {
    const isNamesake = [...this.#epochs.values()].some((other) => other.end === null && other.label === label)
    if (isNamesake) this.#reached.note('6 two processes with one name')
    this.#epochs.set(row.epoch, viewOf(row))
  }

  /** A process has heard that this epoch is its own. */
  own(epoch: number, books: ProcessBooks): void {
    const view = this.#epochs.get(epoch)
    if (view !== undefined) view.books = books
  }

  applied(view: EpochView, batch: Batch, answer: AppliedAnswer): void {
    view.seq = batch.seq
    view.outcome = outcomeOf(answer)
    this.#renew(view, answer)
    if (batch.close) view.end = 'closed'
  }

  replayed(view: EpochView, batch: Batch, answer: AppliedAnswer): void {
    if (batch.takes.length > 0) this.#reached.note('25 take repeated')
    this.#renew(view, answer)
    // S6: what stood where an entry is void now was answered for itself.
    const isVoid = (index: string): boolean => batch.entries[Number(index)]?.kind === 'void'
    assertOutcome(view, outcomeOf(answer), isVoid)
  }

  #renew(view: EpochView, { time }: AppliedAnswer): void {
    view.expiresAt = Math.max(view.expiresAt, time + this.#leaseTtlMs)
  }

  fenced(
    view: EpochView | undefined,
    batch: Batch,
    last: { readonly seq: number; readonly outcome: EpochView['outcome'] },
  ): void {
    this.#reached.note('3 late request, fenced')
    if (batch.takes.length > 0) this.#reached.note('25 take answered after fencing')
    if (batch.close && view?.end === 'reaped') this.#reached.note('31 close after its epoch was reaped')
    must(last.seq === view?.seq, 'S2', () => `fenced with seq ${last.seq}, not ${view?.seq}`)
    assertOutcome(view, last.outcome)
  }

  /** What the store's owners have become. @param time store time of the transaction, ms since 1970: a refused exchange reaps as well */
  follow(owners: ReadonlyMap<number, OwnerRow>, time: number): void {
    for (const view of this.#epochs.values()) this.#followOwner(view, owners.get(view.epoch), time)
  }

  /** S8: an epoch ends by its own closing batch, or when store time passes its expiry. */
  #followOwner(view: EpochView, row: OwnerRow | undefined, time: number): void {
    if (view.end !== null)
      return must(row?.state !== 'open', 'S9', () => `epoch ${view.epoch} ended, and is open again`)
    if (row?.state === 'open') return
    // Its own closing batch is looked at when it has been answered.
    if (row !== undefined && row.seq > view.seq) return
    must(
      time > view.expiresAt,
      'S8',
      () => `epoch ${view.epoch} was reaped at ${time}, and lives until ${view.expiresAt}`,
    )
    if (time - view.expiresAt <= 20) this.#reached.note('21 reaper and renewal within 20 ms')
    view.end = 'reaped'
  }
}

function assertOutcome(
  view: EpochView,
  told: EpochView['outcome'],
  isSkipped: (index: string) => boolean = () => false,
): void {
  const textOf = ({ granted, notes }: EpochView['outcome']): string =>
    JSON.stringify({ granted, notes: Object.fromEntries(Object.entries(notes).filter(([index]) => !isSkipped(index))) })
  const [kept, said] = [textOf(view.outcome), textOf(told)]
  must(kept === said, 'S2', () => `seq ${view.seq} of epoch ${view.epoch} came to ${kept}, and is answered ${said}`)
}
