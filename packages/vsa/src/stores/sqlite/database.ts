import { realpathSync } from 'node:fs'
import { invariant, StoreError } from '../../core/errors.ts'
import { abandon, begin, rollBack, type Connection } from './client/connection.ts'
import type { Driver } from './client/driver.ts'
import { FileGuard, type LockState } from './client/file-guard.ts'
import { makePrivate } from './client/file.ts'
import { patiently } from './client/patience.ts'
import { StatementCache } from './client/statement-cache.ts'
import { isLockLoss, storeErrorOf } from './errors.ts'
import { RowCache } from './row-cache.ts'
import { firstInteger, text } from './rows.ts'
import { ensureSchema } from './schema.ts'

const FULL = 2
const ON = 1

export interface OpenOptions {
  /** There is no file yet: the new one is readable and writable by this user alone. */
  readonly isNew: boolean
  /** How long each transaction waits for other processes, in ms. */
  readonly busyTimeoutMs: number
}

/** One open file: a connection, its prepared statements and its transactions. Synchronous. */
export class Database {
  readonly path: string
  /** The id that the file got when it was created. */
  readonly incarnation: string
  readonly statements: StatementCache
  readonly cache: RowCache = new RowCache()
  readonly #connection: Connection
  readonly #guard: FileGuard
  readonly #busyTimeoutMs: number
  #usable = true

  private constructor(path: string, connection: Connection, busyTimeoutMs: number) {
    this.path = path
    this.#connection = connection
    this.#busyTimeoutMs = busyTimeoutMs
    this.statements = new StatementCache(connection)
    begin(connection, 'read')
    // This read opens the log.
    this.incarnation = text(this.statements.statement('SELECT incarnation FROM store').get([])?.[0])
    rollBack(connection)
    this.#guard = new FileGuard(path, realpathSync(path))
  }

  /**
   * Opens the file, and creates it when there is none. WAL and synchronous=FULL are set and read back: without them a commit is not durable.
   * @throws StoreError `not_a_database`, `schema_too_new`, `store_busy`, `store_failed`
   */
  static open(driver: Driver, path: string, { isNew, busyTimeoutMs }: OpenOptions): Database {
    let connection: Connection | undefined
    try {
      const opened = driver.open(path)
      connection = opened
      // The mode of the other files follows that of the first.
      if (isNew) makePrivate(path)
      opened.exec('PRAGMA busy_timeout = 0')
      return patiently(busyTimeoutMs, () => {
        syncCommits(opened, path)
        ensureSchema(opened, path)
        keepLog(opened, path)
        return new Database(path, opened, busyTimeoutMs)
      })
    } catch (error) {
      if (connection !== undefined) abandon(connection)
      throw storeErrorOf(error, path, 'open')
    }
  }

  /** False once a transaction has left the connection in an unknown state: then it must be closed. */
  get usable(): boolean {
    return this.#usable
  }

  /** Begins a write transaction, and takes the file's write lock. It ends with `commit` or `rollBack`. @throws StoreError; then it has not begun */
  begin(): void {
    this.#begin('write')
    this.within(() => {
      this.#guarded(() => this.#guard.assertShared('no'))
      this.cache.begin(firstInteger(this.statements.statement('PRAGMA data_version').get([])))
    })
  }

  /** Runs a part of the transaction. An error of `work` rolls it back; an SQLite error is rethrown as a StoreError. */
  within<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.rollBack()
      throw storeErrorOf(error, this.path, 'work')
    }
  }

  /** Durable on return. @throws StoreError with `applied` `unknown`: only a new connection can show whether it was applied */
  commit(): void {
    try {
      this.#connection.exec('COMMIT')
    } catch (error) {
      // The commit's frames may be in the log and survive. Only a new connection can show that.
      this.#usable = false
      throw storeErrorOf(error, this.path, 'commit')
    }
    this.#guarded(() => this.#guard.assertShared('unknown'))
  }

  /** If SQLite refuses, the connection's state is unknown, and it must be closed. */
  rollBack(): void {
    if (!rollBack(this.#connection)) this.#usable = false
  }

  /** One read transaction: `work` reads a consistent snapshot. */
  snapshot<T>(work: () => T): T {
    this.#begin('read')
    const result = this.within(work)
    this.rollBack()
    return result
  }

  get locks(): LockState {
    return this.#guard.locks
  }

  /** @throws StoreError `database_replaced` when the path now leads to another file, or to none; `store_lost` when SQLite's locks are lost */
  assertInPlace(): void {
    this.#guarded(() => this.#guard.assertInPlace())
  }

  /** Checkpoints the log as far as other connections allow, and closes. Never throws: every commit is already durable. */
  close(): void {
    try {
      if (this.#usable) this.#connection.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // The next process that opens the file reads the log.
    }
    this.abandon()
  }

  /** Closes without a checkpoint. Never throws. */
  abandon(): void {
    this.#usable = false
    this.#guard.close()
    this.statements.close()
    abandon(this.#connection)
  }

  #begin(kind: 'read' | 'write'): void {
    try {
      patiently(this.#busyTimeoutMs, () => begin(this.#connection, kind))
    } catch (error) {
      throw storeErrorOf(error, this.path, 'work')
    }
  }

  /** Without its locks the file must be opened again. */
  #guarded(check: () => void): void {
    try {
      check()
    } catch (error) {
      if (isLockLoss(error)) this.#usable = false
      throw error
    }
  }
}

/** S7, from the first commit on. `fullfsync` is for macOS, where a sync ends before the data is on the disk without it; elsewhere it changes nothing. */
function syncCommits(connection: Connection, path: string): void {
  connection.exec('PRAGMA synchronous = FULL')
  if (firstInteger(connection.prepare('PRAGMA synchronous').get([])) !== FULL)
    throw notDurable(path, 'synchronous=FULL')
  connection.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
  if (firstInteger(connection.prepare('PRAGMA fullfsync').get([])) !== ON) throw notDurable(path, 'fullfsync=ON')
}

function keepLog(connection: Connection, path: string): void {
  if (journalMode(connection) === 'wal') return
  connection.exec('PRAGMA journal_mode = WAL')
  if (journalMode(connection) !== 'wal') throw notDurable(path, 'journal_mode=WAL')
}

function journalMode(connection: Connection): unknown {
  const row = connection.prepare('PRAGMA journal_mode').get([])
  invariant(row !== undefined, 'PRAGMA journal_mode answers one row')
  return row[0]
}

function notDurable(path: string, setting: string): StoreError {
  const message = `${path} does not accept ${setting}, so a commit there would not be durable: put it on a local disk`
  return new StoreError('store_failed', message, { applied: 'no', transient: false })
}
