import { invariant, StoreError } from '../../../core/errors.ts'
import { abandon, rollBack, type Connection, type Driver } from './driver.ts'
import { storeErrorOf, isBusy, replaced } from '../errors.ts'
import { checkPath, fileIdentity } from './file.ts'
import { firstInteger, text } from '../rows.ts'
import { ensureSchema } from '../schema.ts'
import { StatementCache } from './statement-cache.ts'

/** SQLite does not wait on its own while the journal mode changes: this is tried again every so often. */
const RETRY_MS = 10
const FULL = 2

/** One open file: a connection, its prepared statements and its transactions. Synchronous. */
export class Database {
  readonly path: string
  /** Given to the file when it was made. */
  readonly incarnation: string
  readonly statements: StatementCache
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
   * Opens the file, and makes it when there is none. WAL and synchronous=FULL are set and read back: without them a commit is not durable.
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

  /** False once a transaction has ended in a way that leaves the connection's state in doubt: then it must be closed. */
  get usable(): boolean {
    return this.#usable
  }

  /** Begins a write transaction, and takes the file's write lock. It ends with `commit` or `rollBack`. @throws StoreError */
  begin(): void {
    this.#begin('BEGIN IMMEDIATE')
  }

  /** Runs a part of the transaction. What `work` throws rolls it back, and comes as a StoreError where SQLite threw it. */
  within<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.rollBack()
      throw storeErrorOf(error, this.path, 'work')
    }
  }

  /** Durable on return. @throws StoreError with `applied` `unknown`: only a fresh connection tells whether it was applied */
  commit(): void {
    try {
      this.#connection.exec('COMMIT')
    } catch (error) {
      // Its frames may be in the log and may survive: only a fresh connection tells.
      this.#usable = false
      throw storeErrorOf(error, this.path, 'commit')
    }
  }

  /** After a refusal the connection's state is in doubt: closing settles it. */
  rollBack(): void {
    if (!rollBack(this.#connection)) this.#usable = false
  }

  /** One read transaction: all that `work` reads is of one moment. */
  snapshot<T>(work: () => T): T {
    this.#begin('BEGIN')
    const result = this.within(work)
    this.rollBack()
    return result
  }

  /** @throws StoreError `database_replaced` when the path leads to another file by now, or to none */
  assertInPlace(): void {
    if (fileIdentity(this.path) !== this.#identity) throw replaced(this.path)
  }

  /** Moves what the log holds into the file, as far as others let it, and closes. Never throws: what was committed is durable already. */
  close(): void {
    try {
      if (this.#usable) this.#connection.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // The next process that opens the file finds the log and reads it.
    }
    this.abandon()
  }

  /** Closes without touching the log. Never throws. */
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

/** Blocks this thread, which has nothing else to do. */
function pause(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}
