import { constants, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { StoreError, type StoreErrorCode } from '../../../core/errors.ts'
import { stateOfFile } from './file.ts'

const TRIES_MAX = 3

/** What SQLite keeps beside a database that no process has open: the log, or the journal of a transaction that did not end. */
const LOGS = ['-wal', '-journal']

/** A copy in a folder of its own, which only this user may read. */
export interface StillCopy {
  readonly path: string
  /** Idempotent, and never throws. Where files can be removed while they are open, it can be called at once, so that a killed process leaves none. */
  remove(): void
}

/**
 * True when processes may have the database open: they keep both files beside it. Only then may nothing but SQLite open it in this process
 * (see `file.ts`).
 */
function isInUse(path: string): boolean {
  return stateOfFile(`${path}-wal`) !== undefined && stateOfFile(`${path}-shm`) !== undefined
}

/**
 * Copies a database that no process has open, with its log, so that it can be read where nothing may be written. SQLite itself needs to create
 * files beside a database in WAL mode before it reads one row, and leaves them there.
 * @param path with symbolic links resolved: SQLite keeps the log beside the real file
 * @returns undefined when a process opened the database meanwhile
 * @throws StoreError `store_busy`, `disk_full`, `store_failed`
 */
export function copyStill(path: string): StillCopy | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-read-'))
  const copy = { path: join(folder, basename(path)), remove: () => remove(folder) }
  try {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (isInUse(path)) break
      const before = stateOf(path)
      copyAs(path, copy.path)
      if (stateOf(path) === before) return copy
    }
    if (!isInUse(path)) throw failed('store_busy', `${path} was written each time it was read: try again`, true)
  } catch (error) {
    copy.remove()
    throw copyError(path, error)
  }
  copy.remove()
  return undefined
}

/** Changes with every write of the database or its log. */
function stateOf(path: string): string {
  return ['', ...LOGS].map((suffix) => stateOfFile(path + suffix)).join(' ')
}

function copyAs(path: string, target: string): void {
  copyFileSync(path, target, constants.COPYFILE_FICLONE)
  for (const log of LOGS) {
    rmSync(target + log, { force: true })
    if (stateOfFile(path + log) !== undefined) copyFileSync(path + log, target + log, constants.COPYFILE_FICLONE)
  }
}

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Windows removes no open file. It is called again after the file is closed.
  }
}

function copyError(path: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error && 'code' in error)) return error
  if (error.code === 'ENOSPC')
    return failed(
      'disk_full',
      `${path} is read from a copy, for which ${tmpdir()} has no room: set TMPDIR`,
      false,
      error,
    )
  const message = `${path} cannot be read: give this process read permission (${error.message})`
  return failed('store_failed', message, false, error)
}

function failed(code: StoreErrorCode, message: string, transient: boolean, cause?: unknown): StoreError {
  return new StoreError(code, message, { applied: 'no', transient, cause })
}
