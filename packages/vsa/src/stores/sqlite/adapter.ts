import type {
  Awaitable,
  DeletionRows,
  ExchangeRows,
  JoinRows,
  Snapshot,
  StoreAdapter,
  StoreTime,
  SweepRows,
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
import { gatedDriver } from './client/gated-driver.ts'
import { OPEN_GATE, type NativeGate } from './client/native-gate.ts'
import { isLockLoss, locksLost, replaced } from './errors.ts'
import { listBudgets, listOwners, readBudgets } from './list.ts'
import { loadExchange, loadJoin, loadOpening, loadUpkeep } from './load.ts'
import { loadDeletion } from './load-deletion.ts'
import { loadSweep } from './load-reservations.ts'
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

export const CAPABILITIES: StoreCapabilities = { batchMax: BATCH_ENTRIES_MAX }

/** The options of a store; they are sent to the thread. */
export interface AdapterSettings {
  /** Absolute. */
  readonly path: string
  readonly leaseTtlMs: number
  readonly busyTimeoutMs: number
}

/** What the store takes from its machine and its thread. */
export interface AdapterHost {
  /** Default: those of this host. */
  readonly processes?: ProcessTable
  /** Around native code. Default: none. */
  readonly gate?: NativeGate
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
  readonly #gate: NativeGate
  readonly #fileChecks = new Pace(FILE_CHECK_EVERY_MS)
  readonly #processChecks = new Pace(PROCESS_CHECK_EVERY_MS)
  #driver: Driver | undefined
  #loading: Promise<void> | undefined
  #database: Database | undefined
  /** The identity of the last opened file; undefined before the first open. */
  #incarnation: string | undefined
  #closed = false
  #seesLocks = false
  #hasLostLocks = false

  /** @param now store time, ms since 1970 */
  constructor(
    choice: DriverName | DatabaseConstructor | undefined,
    settings: AdapterSettings,
    now: () => number,
    { processes = processTable(), gate = OPEN_GATE }: AdapterHost = {},
  ) {
    this.#choice = choice
    this.#settings = settings
    this.leaseTtlMs = settings.leaseTtlMs
    this.#now = now
    this.#clock = new StoreClock(now, settings.leaseTtlMs)
    this.#processes = processes
    this.#gate = gate
  }

  /** Another thread can open the file again once this one has ended; this one may not, as long as its client keeps old connections. */
  get hasLostLocks(): boolean {
    return this.#hasLostLocks
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

  loadSweep(max: number): Snapshot<SweepRows> {
    return this.#snapshot(NO_EPOCH, false, (database, opening, { time }) => loadSweep(database, max, time, opening))
  }

  loadDeletion(key: string, max: number): Snapshot<DeletionRows> {
    return this.#snapshot(NO_EPOCH, true, (database, opening) => loadDeletion(database, key, max, opening))
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
    this.#gate.enter()
    try {
      this.#driver = gatedDriver(await loadDriver(choice), this.#gate)
    } finally {
      this.#gate.leave()
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
    const database = this.#begun(mayCreate)
    const loaded = this.#guarded(database, () =>
      database.within(() => {
        const opening = loadOpening(database, epoch)
        const at = this.#clock.read(opening.timeSeen)
        return { ...at, rows: load(database, opening, at) }
      }),
    )
    return {
      ...loaded,
      save: (writes) =>
        this.#guarded(database, () => {
          database.within(() => save(database, writes))
          database.commit()
          database.cache.committed(writes)
          this.#clock.kept()
          return true
        }),
      release: () => this.#guarded(database, () => database.rollBack()),
    }
  }

  /** Without its locks the file is opened once more. */
  #begun(mayCreate: boolean): Database {
    const database = this.#opened(mayCreate)
    try {
      this.#guarded(database, () => database.begin())
      return database
    } catch (error) {
      if (!isLockLoss(error)) throw error
    }
    const again = this.#opened(mayCreate)
    this.#guarded(again, () => again.begin())
    return again
  }

  #read<T>(work: (database: Database) => T): T {
    const database = this.#opened(true)
    return this.#guarded(database, () => database.snapshot(() => work(database)))
  }

  #guarded<T>(database: Database, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (isLockLoss(error)) this.#hasLostLocks = true
      throw error
    } finally {
      if (!database.usable) {
        database.abandon()
        this.#database = undefined
      }
    }
  }

  /** @param mayCreate false for an owner's exchange: its file existed, and an empty one in its place would mint all units again */
  #opened(mayCreate: boolean): Database {
    if (this.#database !== undefined && this.#isInPlace(this.#database)) return this.#database
    const database = this.#open(mayCreate)
    this.#incarnation = database.incarnation
    this.#database = database
    this.#assertLocked(database)
    return database
  }

  #open(mayCreate: boolean): Database {
    invariant(this.#driver !== undefined, 'the SQLite client is loaded before the file is opened')
    const { path, busyTimeoutMs } = this.#settings
    const isNew = !checkPath(path)
    if (isNew && !(mayCreate && this.#incarnation === undefined)) throw replaced(path)
    const database = Database.open(this.#driver, path, { isNew, busyTimeoutMs })
    if (this.#incarnation === undefined || database.incarnation === this.#incarnation) return database
    database.close()
    throw replaced(path)
  }

  /** False when the file must be opened again, because its locks are lost. @throws StoreError `database_replaced` */
  #isInPlace(database: Database): boolean {
    if (!this.#fileChecks.isDue(this.#now())) return true
    try {
      this.#assertInPlace(database)
      return true
    } catch (error) {
      if (!isLockLoss(error)) throw error
      return false
    }
  }

  /** Once the file is missing, every following call checks again, so that no call is accepted. */
  #assertInPlace(database: Database): void {
    try {
      this.#guarded(database, () => database.assertInPlace())
    } catch (error) {
      this.#fileChecks.reset()
      throw error
    }
  }

  /** A client that closes files late, or another store of this process, keeps a new connection from taking the locks. */
  #assertLocked(database: Database): void {
    const { locks } = database
    if (locks === 'lost' || (locks === 'unseen' && this.#seesLocks)) this.#lostAtOpen(database)
    this.#seesLocks = locks === 'held'
    this.#hasLostLocks = false
  }

  #lostAtOpen(database: Database): never {
    this.#hasLostLocks = true
    this.#database = undefined
    database.abandon()
    throw locksLost(this.#settings.path, 'no')
  }
}
