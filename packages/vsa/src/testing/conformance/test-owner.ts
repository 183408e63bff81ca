import type { Answer, AppliedAnswer, Batch, BudgetAnswer, BudgetEntry, Entry, Take } from '../../core/exchange.ts'
import { invariant } from '../../core/errors.ts'
import type { ReservationChange } from '../../core/reservations/messages.ts'
import type { Joined, Store } from '../../core/store.ts'

/** The parts of a batch that a test chooses. The owner adds its epoch and seq. */
export interface BatchParts {
  readonly entries?: readonly Entry[]
  readonly takes?: readonly Take[]
  readonly changes?: readonly ReservationChange[]
  readonly close?: boolean
}

/** One epoch. Counts its seq, and nothing else. */
export class TestOwner {
  readonly epoch: number
  readonly token: string
  readonly incarnation: string
  /** Store time at the join. */
  readonly time: number
  readonly leaseTtlMs: number
  readonly #store: Store
  #seq = 0

  constructor(store: Store, joined: Joined) {
    this.#store = store
    this.epoch = joined.epoch
    this.token = joined.token
    this.incarnation = joined.incarnation
    this.time = joined.time
    this.leaseTtlMs = joined.leaseTtlMs
  }

  /** The next batch, without sending it. */
  next(parts: BatchParts): Batch {
    this.#seq += 1
    return this.again(parts)
  }

  /** A batch with the seq of the last one, as after a breach. */
  again(parts: BatchParts): Batch {
    const { entries = [], takes = [], changes, close = false } = parts
    const { epoch, token, incarnation } = this
    const batch = { epoch, token, incarnation, seq: this.#seq, entries, takes, close }
    return changes === undefined ? batch : { ...batch, changes }
  }

  send(batch: Batch): Promise<Answer> {
    return this.#store.exchange(batch)
  }

  /** Sends the next batch, which must be applied. */
  async apply(parts: BatchParts): Promise<AppliedAnswer> {
    return applied(await this.send(this.next(parts)), 'applied')
  }

  /** Sends one entry, which must be applied and find its row. */
  async row(entry: BudgetEntry): Promise<BudgetAnswer> {
    return budgetAnswer(await this.apply({ entries: [entry] }), 0)
  }
}

/** The answer, which must be of this kind. */
export function applied(answer: Answer, kind: AppliedAnswer['kind']): AppliedAnswer {
  invariant(answer.kind === kind, `the answer must be ${kind}, got ${JSON.stringify(answer)}`)
  return answer
}

/** The answer for the entry at `index`, which must have found its row. */
export function budgetAnswer(answer: AppliedAnswer, index: number): BudgetAnswer {
  const entry = answer.entries[index]
  invariant(entry?.kind === 'budget', `entry ${index} must be a budget row, got ${JSON.stringify(entry)}`)
  return entry
}
