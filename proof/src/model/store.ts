import type { Answer, Batch } from '../../../packages/vsa/dist/core/exchange.js'
import type { MemoryLedger } from '../../../packages/vsa/dist/stores/memory/ledger.js'
import { must } from '../simulation/violation.ts'
import type { Bounds } from './bounds.ts'
import { auditAnswer, auditReaping } from './audit.ts'
import { Memo } from './memo.ts'
import type { Production } from './production.ts'
import type { AnswerMessage, Books, Epoch, EpochRecord } from './world.ts'

/** The one mint id. */
export const MINT_ID = 'm'
/** Stands for every transaction before, so that the ledger knows the latest time: the model drops owners that are of no more use. */
const BEFORE = 0
const NOTHING = { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } } as const
const nobodyIsGone = (): boolean => false

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
  /** The answer, on its way to either owner. */
  readonly messages: readonly AnswerMessage[]
}

/** The store: the production transition functions on the production ledger, which is filled from plain data and emptied into it again. */
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

  /** @param keepsHouse whether reaping, burning and pruning ride along */
  exchange(books: Books, batch: Batch, keepsHouse: boolean): Exchanged {
    return keepsHouse
      ? books.memo.recall(batch, () => this.#exchange(books, batch, true))
      : this.#exchange(books, batch, false)
  }

  #join(books: Books): Opened {
    const ledger = this.#fill(books)
    const { leaseTtlMs } = this.#bounds
    const joining = { label: 'owner', leaseTtlMs, process: null }
    const { epoch, time } = this.#production.joinOwner(ledger, joining, books.wall, nobodyIsGone)
    must(epoch > books.epochsGiven, 'S2', () => `epoch ${epoch} was given, after ${books.epochsGiven}`)
    const opened: Epoch = {
      epoch,
      owner: null,
      held: this.#bounds.rows.map(() => 0),
      record: { ...NOT_APPLIED, heardAt: time },
    }
    const after = this.#empty(ledger, { ...books, epochsGiven: epoch, epochs: [...books.epochs, opened] })
    auditReaping(this.#bounds, books, after)
    return { books: after, epoch }
  }

  #exchange(books: Books, batch: Batch, keepsHouse: boolean): Exchanged {
    const ledger = this.#fill(books)
    const answer = this.#production.exchangeOn(ledger, batch, books.wall, keepsHouse ? nobodyIsGone : null)
    const after = auditAnswer(books, batch, answer, this.#empty(ledger, books))
    auditReaping(this.#bounds, books, after)
    const messageTo = (to: number): AnswerMessage => ({ kind: 'answer', to, batch, answer, memo: new Memo() })
    return { books: after, answer, messages: [messageTo(0), messageTo(1)] }
  }

  #fill(books: Books): MemoryLedger {
    const ledger = new this.#production.MemoryLedger()
    for (let given = 0; given < books.epochsGiven; given += 1) ledger.nextEpoch()
    const past = { epoch: BEFORE, label: '', state: 'closed', seq: 0, outcome: NOTHING, process: null } as const
    ledger.saveOwner({ ...past, seenAt: books.timeSeen, expiresAt: 0, leaseTtlMs: 0 })
    for (const row of books.rows) if (row !== null) ledger.saveBudget(row)
    if (books.mint !== null) ledger.saveMint(this.#keyAt(0), MINT_ID, books.mint)
    for (const { epoch, owner, held } of books.epochs) {
      if (owner !== null) ledger.saveOwner(owner)
      for (const [at, units] of held.entries())
        if (units > 0) ledger.saveLease({ key: this.#keyAt(at), period: 0, epoch, held: units })
    }
    return ledger
  }

  #empty(ledger: MemoryLedger, books: Books): Books {
    const leases = this.#bounds.rows.map(({ key }) => ledger.leasesOn({ key, period: 0 }))
    return {
      ...books,
      memo: new Memo(),
      timeSeen: ledger.timeSeen(),
      rows: this.#bounds.rows.map(({ key }) => ledger.budget(key, 0) ?? null),
      mint: ledger.mintedUnits(this.#keyAt(0), MINT_ID) ?? null,
      epochs: books.epochs.map((was) => ({
        ...was,
        owner: ledger.owner(was.epoch) ?? null,
        held: leases.map((onRow) => onRow.find((lease) => lease.epoch === was.epoch)?.held ?? 0),
      })),
    }
  }

  #keyAt(row: number): string {
    return this.#bounds.rows[row]?.key ?? ''
  }
}
