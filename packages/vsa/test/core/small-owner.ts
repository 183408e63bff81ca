import { ONE_INCARNATION } from '../../src/core/life.ts'
import type { Answer, Batch, RowPolicy } from '../../src/core/exchange.ts'
import type { Books } from './books-fixture.ts'
import { asking, tokenOf } from './books-fixture.ts'

/** The admissions answered to callers of all owners, independent of the store. */
export interface Told {
  admitted: number
}

/** The result of one send of a batch, as its owner sees it. */
export type Delivery = 'answered' | 'request lost' | 'answer lost'

interface Sent {
  readonly batch: Batch
  /** What may be spent until the answer comes: what the batch offers back is deducted before it is sent. */
  readonly left: number
}

/** The owner rules O1 to O5 in their smallest form, for one budget, without optimizations. */
export class SmallOwner {
  readonly #books: Books
  readonly #told: Told
  readonly #policy: RowPolicy
  #epoch: number
  #seq = 0
  #held = 0
  #spent = 0
  #sent: Sent | undefined

  constructor(books: Books, told: Told, policy: RowPolicy) {
    this.#books = books
    this.#told = told
    this.#policy = policy
    this.#epoch = books.join()
  }

  /** O3 */
  get left(): number {
    return (this.#sent === undefined ? this.#held : this.#sent.left) - this.#spent
  }

  /** The batch that waits for its answer. */
  get waiting(): Batch | undefined {
    return this.#sent?.batch
  }

  /** O1, from memory alone. The store may already have burned the lease. */
  admit(units: number): void {
    if (units > this.left) return
    this.#spent += units
    this.#told.admitted += units
  }

  /** O2: the next batch, or the one that is not answered yet. */
  send(hold: number, cost: number, n: number, refund: number, delivery: Delivery): Batch {
    this.#sent ??= this.#compose(hold, cost, n, refund)
    const { batch } = this.#sent
    if (delivery === 'request lost') return batch
    const answer = this.#books.send(batch)
    if (delivery === 'answered') this.answered(batch, answer)
    return batch
  }

  answered(batch: Batch, answer: Answer): void {
    if (this.#sent?.batch !== batch) return
    if (answer.kind === 'fenced') {
      if (answer.last?.seq === batch.seq) this.#tell(batch, answer.last.outcome.granted[0])
      this.start()
      return
    }
    if (answer.kind !== 'applied' && answer.kind !== 'replayed') throw new Error(`answered ${JSON.stringify(answer)}`)
    const [row] = answer.entries
    this.#held = row?.kind === 'budget' ? row.held : 0
    this.#sent = undefined
    this.#tell(batch, answer.granted[0])
  }

  /** O5, or a crash: a new epoch that holds nothing. */
  start(): void {
    this.#epoch = this.#books.join()
    this.#seq = 0
    this.#held = 0
    this.#spent = 0
    this.#sent = undefined
  }

  #compose(hold: number, cost: number, n: number, refund: number): Sent {
    this.#seq += 1
    const entry = asking('a', { policy: this.#policy, spent: this.#spent, hold, refund })
    const takes = n === 0 ? [] : [{ need: [[0, cost] as const], n }]
    const batch = {
      epoch: this.#epoch,
      token: tokenOf(this.#epoch),
      incarnation: ONE_INCARNATION,
      seq: this.#seq,
      entries: [entry],
      takes,
      close: false,
    }
    const left = Math.min(this.#held - this.#spent, hold)
    this.#spent = 0
    return { batch, left }
  }

  #tell(batch: Batch, granted = 0): void {
    this.#told.admitted += granted * (batch.takes[0]?.need[0]?.[1] ?? 0)
  }
}
