import type { Applied } from '../../../core/errors.ts'
import { locksLost, replaced } from '../errors.ts'
import { fileIdentity } from './file.ts'
import { DATABASE_LOCK, findLock, SHM_LOCK, type HeldLock } from './held-locks.ts'

interface Identities {
  readonly database: string | undefined
  readonly log: string | undefined
  readonly shm: string | undefined
}

/**
 * `held`: as it must be. `lost`: another process may take itself for the last one. `unseen`: this machine does not show locks.
 */
export type LockState = 'held' | 'lost' | 'unseen'

/**
 * Watches that an open database is still the one that other processes see (L1). Two things can end that:
 * - a file is deleted or replaced by hand;
 * - this process opens and closes the database itself, as a copy does. POSIX then drops the locks that SQLite holds on it, without telling SQLite.
 *   The next process that opens and closes it takes itself for the last one, and deletes the log that this one goes on writing.
 *
 * On Linux the locks are looked at, before the first write of each transaction and after its commit. They do not come back by themselves. So when they
 * are held after a commit, no process could have begun to delete the log before it: exact. Elsewhere the identity of the log is looked at instead; there
 * a commit is lost that falls into the milliseconds in which another process closes the database, and the next call sees it.
 */
export class FileGuard {
  readonly #path: string
  /** With symbolic links resolved. */
  readonly #file: string
  readonly #opened: Identities
  readonly #databaseLock: HeldLock | undefined
  readonly #shmLock: HeldLock | undefined

  /**
   * @param path as the user named it
   * @param file where it leads: SQLite keeps the log beside it
   * @param self where Linux shows what this process has open
   */
  constructor(path: string, file: string, self?: string) {
    this.#path = path
    this.#file = file
    this.#opened = this.#identities()
    this.#databaseLock = findLock(file, DATABASE_LOCK, self)
    this.#shmLock = findLock(`${file}-shm`, SHM_LOCK, self)
  }

  get locks(): LockState {
    if (this.#databaseLock === undefined) return this.#shmLock === undefined ? 'unseen' : 'lost'
    // Opened beside a connection that has lost the lock on the `-shm` file, SQLite does not take it again.
    return this.#shmLock !== undefined && this.#databaseLock.isHeld() ? 'held' : 'lost'
  }

  /**
   * A few microseconds, for each transaction.
   * @param applied of the error: whether the transaction may have been applied
   * @throws StoreError `store_lost`: the file must be opened again; `database_replaced`: it must not even be closed, because that may delete a log of others
   */
  assertShared(applied: Applied): void {
    const locks = this.locks
    if (locks === 'held') return
    if (locks === 'unseen' ? this.#isLogReplaced() : this.#isReplaced()) throw replaced(this.#path, applied)
    if (locks === 'lost') throw locksLost(this.#path, applied)
  }

  /** For every now and then. @throws StoreError as `assertShared` */
  assertInPlace(): void {
    if (this.#isReplaced()) throw replaced(this.#path)
    if (this.#shmLock?.isHeld() === false) throw locksLost(this.#path, 'no')
  }

  close(): void {
    this.#databaseLock?.close()
    this.#shmLock?.close()
  }

  #isReplaced(): boolean {
    const { database, log, shm } = this.#identities()
    return database !== this.#opened.database || log !== this.#opened.log || shm !== this.#opened.shm
  }

  #isLogReplaced(): boolean {
    return fileIdentity(`${this.#file}-wal`) !== this.#opened.log
  }

  #identities(): Identities {
    return {
      database: fileIdentity(this.#path),
      log: fileIdentity(`${this.#file}-wal`),
      shm: fileIdentity(`${this.#file}-shm`),
    }
  }
}
