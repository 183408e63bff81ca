import type { StoreTime } from '../../../packages/vsa/dist/core/adapter.js'
import type { Answer, Batch } from '../../../packages/vsa/dist/core/exchange.js'
import type { MemoryRows } from '../../../packages/vsa/dist/stores/memory/rows.js'
import { must } from '../simulation/violation.ts'
import type { Bounds } from './bounds.ts'
import { auditAnswer, auditReaping } from './audit.ts'
import { Memo } from './memo.ts'
import type { Production } from './production.ts'
import type { AnswerMessage, Books, Epoch, EpochRecord } from './world.ts'

/** The one mint id. */
export const MINT_ID = 'm'
/** The model's rows are fewer than this: one upkeep does all that there is to do. */
const UPKEEP = { leasesMax: 1_000, rowsMax: 1_000, ownersKeptMs: 7 * 86_400_000 } as const

const NOT_APPLIED: Omit<EpochRecord, 'heardAt'> = {
  seq: 0,
  granted: [],
  refunded: [],
  closed: false,
}

interface Opened {
  readonly books: Books
  readonly epoch: number
}

interface Exchanged {
  readonly books: Books
  readonly answer: Answer
  /** The answer, addressed to either owner. */
  readonly messages: readonly AnswerMessage[]
}

/** The store: the production transitions on the production memory rows, which are loaded from plain data and read back into it. */
export class ModelStore {
  readonly #production: Production
  readonly #bounds: Bounds

  constructor(production: Production, bounds: Bounds) {
    this.#production = production
    this.#bounds = bounds
  }

  get empty(): Books {
    const rows = this.#bounds.rows.map(() => null)
    return { wall: 0, timeSeen: 0, epochsGiven: 0, rows, mint: null, epochs: [], memo: new Memo() }
  }

  join(books: Books): Opened {
    return books.memo.recall('join', () => this.#join(books))
  }

  /** @param keepsHouse whether upkeep (reaping, burning, pruning) comes before it */
  exchange(books: Books, batch: Batch, keepsHouse: boolean): Exchanged {
    return keepsHouse
      ? books.memo.recall(batch, () => this.#exchange(books, batch, true))
      : this.#exchange(books, batch, false)
  }

  #join(books: Books): Opened {
    const rows = this.#fill(books)
    const { leaseTtlMs } = this.#bounds
    const from = { lastEpoch: books.epochsGiven, process: null }
    const { joined, writes } = this.#production.openEpoch(
      from,
      { token: tokenOf(books.epochsGiven + 1), label: 'owner', leaseTtlMs },
      timeOf(rows, books).time,
    )
    this.#production.save(rows, writes)
    const { epoch, time } = joined
    must(epoch > books.epochsGiven, 'S2', () => `epoch ${epoch} was given, after ${books.epochsGiven}`)
    this.#maintain(rows, books, { ...joined, seq: 0 })
    const opened: Epoch = {
      epoch,
      owner: null,
      held: this.#bounds.rows.map(() => 0),
      record: { ...NOT_APPLIED, heardAt: time },
    }
    const after = this.#empty(rows, { ...books, epochsGiven: epoch, epochs: [...books.epochs, opened] })
    auditReaping(this.#bounds, books, after)
    return { books: after, epoch }
  }

  #exchange(books: Books, batch: Batch, keepsHouse: boolean): Exchanged {
    const rows = this.#fill(books)
    if (keepsHouse) this.#maintain(rows, books, batch)
    const { time } = timeOf(rows, books)
    const loaded = this.#production.loadExchange(rows, batch, time)
    const { answer, writes } = this.#production.transition(loaded, batch, time)
    if (writes !== null) this.#production.save(rows, writes)
    const after = auditAnswer(books, batch, answer, this.#empty(rows, books))
    auditReaping(this.#bounds, books, after)
    const messageTo = (to: number): AnswerMessage => ({ kind: 'answer', to, batch, answer, memo: new Memo() })
    return { books: after, answer, messages: [messageTo(0), messageTo(1)] }
  }

  #maintain(
    rows: MemoryRows,
    books: Books,
    caller: Pick<Batch, 'epoch' | 'token' | 'seq'>,
    steps: number = this.#production.UPKEEP_STEPS,
  ): void {
    const { maintain, loadUpkeep, save } = this.#production
    const at = timeOf(rows, books)
    // Its clock makes no leap, and no call waits.
    const call = { caller, bounds: UPKEEP, leaseTtlMs: this.#bounds.leaseTtlMs, standstillMs: 0 }
    const { writes, leadsOn } = maintain(loadUpkeep(rows, UPKEEP, at), at, call)
    if (writes !== null) save(rows, writes)
    if (leadsOn && steps > 1) this.#maintain(rows, books, caller, steps - 1)
  }

  #fill(books: Books): MemoryRows {
    const rows = new this.#production.MemoryRows()
    rows.keepTime(books.timeSeen)
    for (const row of books.rows) if (row !== null) rows.saveBudget(row)
    if (books.mint !== null) rows.saveMint(this.#keyAt(0), MINT_ID, books.mint)
    for (const { epoch, owner, held } of books.epochs) {
      if (owner !== null) rows.saveOwner(owner)
      for (const [at, units] of held.entries())
        if (units > 0) rows.saveLease({ key: this.#keyAt(at), period: 0, epoch, held: units })
    }
    return rows
  }

  #empty(rows: MemoryRows, books: Books): Books {
    const names = this.#bounds.rows.map(({ key }) => ({ key, period: 0 }))
    const leases = names.map((name) => [...rows.leasesOn(name)])
    return {
      ...books,
      memo: new Memo(),
      timeSeen: rows.timeSeen,
      rows: names.map((name) => rows.budget(name) ?? null),
      mint: rows.mintedUnits(this.#keyAt(0), MINT_ID) ?? null,
      epochs: books.epochs.map((was) => ({
        ...was,
        owner: rows.owner(was.epoch) ?? null,
        held: leases.map((onRow) => onRow.find((lease) => lease.epoch === was.epoch)?.held ?? 0),
      })),
    }
  }

  #keyAt(row: number): string {
    return this.#bounds.rows[row]?.key ?? ''
  }
}

/** S1 */
function timeOf({ timeSeen }: MemoryRows, { wall }: Books): StoreTime {
  return { time: Math.max(wall, timeSeen), timeSeen, clock: wall }
}

/** The token of an epoch. */
export function tokenOf(epoch: number): string {
  return `token ${epoch}`
}
