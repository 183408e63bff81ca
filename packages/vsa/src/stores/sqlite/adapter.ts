import type {
  Awaitable,
  ExchangeRows,
  JoinRows,
  Snapshot,
  StoreAdapter,
  StoreTime,
  UpkeepBounds,
  UpkeepRows,
} from '../../core/adapter.ts'
import { invariant } from '../../core/errors.ts'
import { BATCH_ENTRIES_MAX, type Batch, type RowName } from '../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange, StoreCapabilities } from '../../core/store.ts'
import { StoreClock } from '../../core/store-clock.ts'
import { Database } from './database.ts'
import { givenDriver, loadDriver, type DatabaseConstructor, type Driver, type DriverName } from './client/driver.ts'
import { checkPath } from './client/file.ts'
import { replaced } from './errors.ts'
import { listBudgets, listOwners, readBudgets } from './list.ts'
import { loadExchange, loadJoin, loadOpening, loadUpkeep } from './load.ts'
import { Pace } from '../../core/pace.ts'
import { processTable, type ProcessTable } from './process-table.ts'
import type { Opening } from './row-cache.ts'
import { save } from './save.ts'

/** Stands for no epoch: the first epoch is 1. */
const NO_EPOCH = 0
/** How often the path is checked for a replaced file. */
const FILE_CHECK_EVERY_MS = 100
/** How often other owners' processes are looked up. */
const PROCESS_CHECK_EVERY_MS = 1_000

export const CAPABILITIES: StoreCapabilities = { mayForget: false, batchMax: BATCH_ENTRIES_MAX }

/** The options of a store; they are sent to the thread. */
export interface AdapterSettings {
  /** Absolute. */
  readonly path: string
  readonly leaseTtlMs: number
  readonly busyTimeoutMs: number
}

/**
 * The rows of one SQLite file, on the calling thread and synchronous once the client is loaded. A load begins a write transaction
 * (`BEGIN IMMEDIATE`), `save` commits it. Opens the file at the first call, and again after `close` or a commit whose outcome is in doubt.
 */
export class SqliteAdapter implements StoreAdapter {
  readonly capabilities: StoreCapabilities = CAPABILITIES
  readonly leaseTtlMs: number
  readonly #choice: DriverName | DatabaseConstructor | undefined
  readonly #settings: AdapterSettings
  readonly #now: () => number
  readonly #clock: StoreClock
  readonly #processes: ProcessTable
  readonly #fileChecks = new Pace(FILE_CHECK_EVERY_MS)
  readonly #processChecks = new Pace(PROCESS_CHECK_EVERY_MS)
  #driver: Driver | undefined
  #loading: Promise<void> | undefined
  #database: Database | undefined
  /** The identity of the last opened file; undefined before the first open. */
  #incarnation: string | undefined
  #closed = false

  /** @param now store time, ms since 1970 */
  constructor(
    choice: DriverName | DatabaseConstructor | undefined,
    settings: AdapterSettings,
    now: () => number,
    processes: ProcessTable = processTable(),
  ) {
    this.#choice = choice
    this.#settings = settings
    this.leaseTtlMs = settings.leaseTtlMs
    this.#now = now
    this.#clock = new StoreClock(now, settings.leaseTtlMs)
    this.#processes = processes
  }

  /** Loads the client. @throws StoreError `driver_missing` */
  ready(): Awaitable<void> {
    if (this.#driver !== undefined) return
    const choice = this.#choice
    if (typeof choice === 'function') {
      this.#driver = givenDriver(choice)
      return
    }
    this.#loading ??= this.#loadDriver(choice)
    return this.#loading
  }

  loadJoin(): Snapshot<JoinRows> {
    // After `close`, the file at the path is accepted as the store. Without a `close`, a missing file is not replaced by an empty one.
    if (this.#closed) this.#incarnation = undefined
    this.#closed = false
    this.#processChecks.reset()
    return this.#snapshot(NO_EPOCH, true, (database) => loadJoin(database.statements, this.#processes.self()))
  }

  loadExchange(batch: Batch): Snapshot<ExchangeRows> {
    return this.#snapshot(batch.epoch, false, (database, opening, { time }) =>
      loadExchange(database, opening, batch, time),
    )
  }

  loadUpkeep(bounds: UpkeepBounds): Snapshot<UpkeepRows> {
    const isGone = this.#processChecks.isDue(this.#now())
      ? ({ process }: OwnerRow): boolean => this.#processes.isGone(process)
      : (): boolean => false
    return this.#snapshot(NO_EPOCH, false, (database, _opening, at) =>
      loadUpkeep(database.statements, bounds, at, isGone),
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

  /** Releases the file. */
  close(): Awaitable<void> {
    // Calls that wait for the client come first.
    if (this.#loading !== undefined) return this.#loading.catch(() => undefined).then(() => this.#close())
    this.#close()
  }

  #close(): void {
    this.#database?.close()
    this.#database = undefined
    this.#closed = true
  }

  async #loadDriver(choice: DriverName | undefined): Promise<void> {
    try {
      this.#driver = await loadDriver(choice)
    } finally {
      // A missing client may be installed before the next call, so loading is retried.
      this.#loading = undefined
    }
  }

  /** S1: the time is read while holding the lock. @param mayCreate as for `#opened` */
  #snapshot<Rows>(
    epoch: number,
    mayCreate: boolean,
    load: (database: Database, opening: Opening, at: StoreTime) => Rows,
  ): Snapshot<Rows> {
    const database = this.#opened(mayCreate)
    const loaded = this.#guarded(database, () => {
      database.begin()
      return database.within(() => {
        const opening = loadOpening(database, epoch)
        const at = this.#clock.read(opening.timeSeen)
        return { ...at, rows: load(database, opening, at) }
      })
    })
    return {
      ...loaded,
      save: (writes) =>
        this.#guarded(database, () => {
          database.within(() => save(database.statements, writes))
          database.commit()
          database.cache.committed(writes)
          this.#clock.kept()
          return true
        }),
      release: () => this.#guarded(database, () => database.rollBack()),
    }
  }

  #read<T>(work: (database: Database) => T): T {
    const database = this.#opened(true)
    return this.#guarded(database, () => database.snapshot(() => work(database)))
  }

  #guarded<T>(database: Database, work: () => T): T {
    try {
      return work()
    } finally {
      if (!database.usable) {
        database.abandon()
        this.#database = undefined
      }
    }
  }

  /** @param mayCreate false for an owner's exchange: its file existed, and an empty one in its place would mint all units again */
  #opened(mayCreate: boolean): Database {
    if (this.#database !== undefined) {
      if (this.#fileChecks.isDue(this.#now())) this.#assertInPlace(this.#database)
      return this.#database
    }
    invariant(this.#driver !== undefined, 'the SQLite client is loaded before the file is opened')
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

  /** Once the file is missing, every following call checks again, so that no call is accepted. */
  #assertInPlace(database: Database): void {
    try {
      database.assertInPlace()
    } catch (error) {
      this.#fileChecks.reset()
      throw error
    }
  }
}
