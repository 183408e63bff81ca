import type { Answer, Batch, RowName } from '../../core/exchange.ts'
import { exchangeOn, joinOwner, keepsTime, type IsGone } from '../../core/housekeeping.ts'
import type { BudgetRow, OwnerRow } from '../../core/ledger.ts'
import type { Joined, ListPage, ListRange } from '../../core/store.ts'
import { StoreClock } from '../../core/store-clock.ts'
import { Database } from './database.ts'
import type { Driver } from './driver.ts'
import { replaced } from './faults.ts'
import { checkPath } from './file.ts'
import { SqliteLedger } from './ledger.ts'
import { listBudgets, listOwners, readBudgets } from './listing.ts'
import { Pace } from './pace.ts'
import { processTable, type ProcessTable } from './process-table.ts'

/** No epoch: the first is 1. */
const NOBODY = 0
/** How often an exchange also reaps, burns and prunes. */
const HOUSEKEEPING_EVERY_MS = 100
/** How often the file is looked at: is it still the one that was opened? */
const FILE_CHECK_EVERY_MS = 100
/** How often other owners' processes are looked up. */
const PROCESS_CHECK_EVERY_MS = 1_000

/** What a store is opened with; crosses to the thread. */
export interface BooksSettings {
  /** Absolute. */
  readonly path: string
  readonly leaseTtlMs: number
  readonly busyTimeoutMs: number
}

/** What is left of a transaction. */
interface Keeping<T> {
  readonly isKept: (result: T) => boolean
  /** Whether the books know its time afterwards. */
  readonly keepsTime: (result: T) => boolean
}

/** The store on the calling thread, synchronous. Opens the file at the first call, and again after `close` or a doubtful commit. */
export class Books {
  readonly #driver: Driver
  readonly #settings: BooksSettings
  readonly #now: () => number
  readonly #clock: StoreClock
  readonly #processes: ProcessTable
  readonly #housekeeping = new Pace(HOUSEKEEPING_EVERY_MS)
  readonly #fileChecks = new Pace(FILE_CHECK_EVERY_MS)
  readonly #processChecks = new Pace(PROCESS_CHECK_EVERY_MS)
  #database: Database | undefined
  /** Of the file that was opened last; undefined before the first time. */
  #incarnation: string | undefined
  #closed = false

  constructor(driver: Driver, settings: BooksSettings, now: () => number, processes: ProcessTable = processTable()) {
    this.#driver = driver
    this.#settings = settings
    this.#now = now
    this.#clock = new StoreClock(now, settings.leaseTtlMs)
    this.#processes = processes
  }

  join(label: string): Joined {
    // After `close` whatever is there is the store. A file that went away without one is not to be replaced by an empty one.
    if (this.#closed) this.#incarnation = undefined
    this.#closed = false
    const joining = { label, leaseTtlMs: this.#settings.leaseTtlMs, process: this.#processes.self() }
    this.#processChecks.reset()
    return this.#write(NOBODY, (ledger, time) => joinOwner(ledger, joining, time, this.#isGone()), {
      isKept: () => true,
      keepsTime: () => true,
    })
  }

  exchange(batch: Batch): Answer {
    return this.#write(
      batch.epoch,
      (ledger, time) => exchangeOn(ledger, batch, time, this.#housekeeping.isDue(this.#now()) ? this.#isGone() : null),
      { isKept, keepsTime },
    )
  }

  read(names: readonly RowName[]): readonly BudgetRow[] {
    return this.#read((database) => readBudgets(database.statements, names))
  }

  list(range: ListRange): ListPage {
    return this.#read((database) => listBudgets(database.statements, range))
  }

  owners(): readonly OwnerRow[] {
    return this.#read((database) => listOwners(database.statements))
  }

  /** Lets go of the file. */
  close(): void {
    this.#database?.close()
    this.#database = undefined
    this.#closed = true
  }

  /** S1: the time is read behind the lock. */
  #write<T>(epoch: number, work: (ledger: SqliteLedger, time: number) => T, keeping: Keeping<T>): T {
    const transaction = (database: Database): T =>
      database.write(() => {
        const ledger = new SqliteLedger(database.statements, epoch)
        return work(ledger, this.#clock.read(ledger.timeSeen()))
      }, keeping.isKept)
    const result = this.#on(transaction, epoch === NOBODY)
    if (keeping.keepsTime(result)) this.#clock.kept()
    return result
  }

  #read<T>(work: (database: Database) => T): T {
    return this.#on((database) => database.snapshot(() => work(database)), true)
  }

  #on<T>(work: (database: Database) => T, mayCreate: boolean): T {
    const database = this.#opened(mayCreate)
    try {
      return work(database)
    } finally {
      if (!database.usable) {
        database.abandon()
        this.#database = undefined
      }
    }
  }

  /** @param mayCreate false for an owner's exchange: it knew a file here, and an empty one in its place would be a fresh budget */
  #opened(mayCreate: boolean): Database {
    if (this.#database !== undefined) {
      if (this.#fileChecks.isDue(this.#now())) this.#assertInPlace(this.#database)
      return this.#database
    }
    const { path, busyTimeoutMs } = this.#settings
    if (!checkPath(path) && !(mayCreate && this.#incarnation === undefined)) throw replaced(path)
    const database = Database.open(this.#driver, path, busyTimeoutMs)
    if (this.#incarnation !== undefined && database.incarnation !== this.#incarnation) {
      database.close()
      throw replaced(path)
    }
    this.#incarnation = database.incarnation
    this.#database = database
    return database
  }

  /** Looks again at the very next call once the file is gone, so that no call slips through. */
  #assertInPlace(database: Database): void {
    try {
      database.assertInPlace()
    } catch (error) {
      this.#fileChecks.reset()
      throw error
    }
  }

  #isGone(): IsGone {
    if (!this.#processChecks.isDue(this.#now())) return () => false
    return (owner) => this.#processes.isGone(owner.process)
  }
}

/** Refused answers have written nothing that should stay. */
function isKept(answer: Answer): boolean {
  switch (answer.kind) {
    case 'applied':
    case 'replayed':
    case 'fenced':
      return true
    case 'breach':
    case 'stale':
    case 'lost':
      return false
  }
}
