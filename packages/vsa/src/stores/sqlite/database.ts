import { invariant, StoreError } from '../../core/errors.ts'
import { abandon, rollBack, type Connection } from './client/connection.ts'
import type { Driver } from './client/driver.ts'
import { storeErrorOf, isBusy, replaced } from './errors.ts'
import { checkPath, fileIdentity } from './client/file.ts'
import { RowCache } from './row-cache.ts'
import { firstInteger, text } from './rows.ts'
import { ensureSchema } from './schema.ts'
import { StatementCache } from './client/statement-cache.ts'

/** SQLite does not wait for locks while the journal mode changes, so the change is retried at this interval. */
const RETRY_MS = 10
const FULL = 2

/** One open file: a connection, its prepared statements and its transactions. Synchronous. */
export class Database {
  readonly path: string
  /** The id that the file got when it was created. */
  readonly incarnation: string
  readonly statements: StatementCache
  readonly cache: RowCache = new RowCache()
  readonly #connection: Connection
  readonly #identity: string | undefined
  #usable = true

  private constructor(path: string, connection: Connection) {
    this.path = path
    this.#connection = connection
    this.#identity = fileIdentity(path)
    this.statements = new StatementCache(connection)
    this.incarnation = text(this.statements.statement('SELECT incarnation FROM store').get([])?.[0])
  }

  /**
   * Opens the file, and creates it when there is none. WAL and synchronous=FULL are set and read back: without them a commit is not durable.
   * @throws StoreError `folder_missing`, `read_only`, `not_a_database`, `schema_too_new`, `store_busy`, `store_failed`
   */
  static open(driver: Driver, path: string, busyTimeoutMs: number): Database {
    checkPath(path)
    let connection: Connection | undefined
    try {
      connection = driver.open(path)
      connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
      ensureSchema(connection, path)
      makeDurable(connection, path, busyTimeoutMs)
      return new Database(path, connection)
    } catch (error) {
      if (connection !== undefined) abandon(connection)
      throw storeErrorOf(error, path, 'open')
    }
  }

  /** False once a transaction has left the connection in an unknown state: then it must be closed. */
  get usable(): boolean {
    return this.#usable
  }

  /** Begins a write transaction, and takes the file's write lock. It ends with `commit` or `rollBack`. @throws StoreError */
  begin(): void {
    this.#begin('BEGIN IMMEDIATE')
    this.within(() => this.cache.begin(firstInteger(this.statements.statement('PRAGMA data_version').get([]))))
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
  }

  /** If SQLite refuses, the connection's state is unknown, and it must be closed. */
  rollBack(): void {
    if (!rollBack(this.#connection)) this.#usable = false
  }

  /** One read transaction: `work` reads a consistent snapshot. */
  snapshot<T>(work: () => T): T {
    this.#begin('BEGIN')
    const result = this.within(work)
    this.rollBack()
    return result
  }

  /** @throws StoreError `database_replaced` when the path now leads to another file, or to none */
  assertInPlace(): void {
    if (fileIdentity(this.path) !== this.#identity) throw replaced(this.path)
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
    this.statements.close()
    abandon(this.#connection)
  }

  #begin(statement: string): void {
    try {
      this.#connection.exec(statement)
    } catch (error) {
      throw storeErrorOf(error, this.path, 'work')
    }
  }
}

function makeDurable(connection: Connection, path: string, busyTimeoutMs: number): void {
  for (let waitedMs = 0; journalMode(connection) !== 'wal'; waitedMs += RETRY_MS) {
    try {
      connection.exec('PRAGMA journal_mode = WAL')
      if (journalMode(connection) !== 'wal') throw notDurable(path, 'journal_mode=WAL')
    } catch (error) {
      if (!isBusy(error) || waitedMs >= busyTimeoutMs) throw error
      pause(RETRY_MS)
    }
  }
  connection.exec('PRAGMA synchronous = FULL')
  if (firstInteger(connection.prepare('PRAGMA synchronous').get([])) !== FULL)
    throw notDurable(path, 'synchronous=FULL')
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

/** Blocks this thread, which has no other work. */
function pause(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}
