import { replaced, locksLost } from '../errors.ts'
import { fileIdentity } from './file.ts'
import { DATABASE_LOCK, findLock, SHM_LOCK, type HeldLock } from './held-locks.ts'

interface Identities {
  readonly database: string | undefined
  readonly log: string | undefined
  readonly shm: string | undefined
}

/**
 * Watches that an open database is still the one that other processes see (L1). Two things can end that:
 * - a file is deleted or replaced by hand;
 * - this process opens and closes the database itself, as a copy does. POSIX then drops the locks that SQLite holds on it, without telling SQLite.
 *   The next process that opens and closes it takes itself for the last one, and deletes the log that this one goes on writing.
 *
 * On Linux the locks are looked at. They do not come back by themselves, so a commit after which they are still held is in a log that no process
 * could have begun to delete: exact. Elsewhere the identity of the log is looked at, before and after each commit. There, a commit that falls into the
 * milliseconds between another process's last checkpoint and its deletion of the log is lost, and the next call sees it.
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
   */
  constructor(path: string, file: string) {
    this.#path = path
    this.#file = file
    this.#opened = this.#identities()
    this.#databaseLock = findLock(file, DATABASE_LOCK)
    this.#shmLock = findLock(`${file}-shm`, SHM_LOCK)
  }

  /** The locks can be seen on this machine. */
  get seesLocks(): boolean {
    return this.#databaseLock !== undefined || this.#shmLock !== undefined
  }

  /** @throws StoreError `database_replaced`, `store_lost` */
  assertInPlace(): void {
    const { database, log, shm } = this.#opened
    const now = this.#identities()
    if (now.database !== database) throw replaced(this.#path)
    // Only without its locks could another process have deleted the log in good faith, after it had copied every commit into the database.
    if (this.seesLocks && !this.#holdsAll()) throw locksLost(this.#path, 'no')
    if (now.log !== log || now.shm !== shm) throw replaced(this.#path)
  }

  /** A few microseconds, after each commit. @throws StoreError `database_replaced`, `store_lost`; both with `applied` `unknown` */
  assertCommitted(): void {
    if (this.seesLocks) {
      if (!this.#holdsDatabase()) throw locksLost(this.#path, 'unknown')
    } else if (fileIdentity(`${this.#file}-wal`) !== this.#opened.log) {
      throw replaced(this.#path, 'unknown')
    }
  }

  close(): void {
    this.#databaseLock?.close()
    this.#shmLock?.close()
  }

  #holdsAll(): boolean {
    return this.#holdsDatabase() && this.#shmLock?.isHeld() === true
  }

  #holdsDatabase(): boolean {
    return this.#databaseLock?.isHeld() === true
  }

  #identities(): Identities {
    return {
      database: fileIdentity(this.#path),
      log: fileIdentity(`${this.#file}-wal`),
      shm: fileIdentity(`${this.#file}-shm`),
    }
  }
}
