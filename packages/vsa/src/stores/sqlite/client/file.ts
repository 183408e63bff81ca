import { accessSync, constants, statSync, type BigIntStats } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError, type StoreErrorCode } from '../../../core/errors.ts'

/*
 * Nothing here may open the database file: closing any descriptor of it would drop the locks that SQLite holds on it for this
 * process (POSIX advisory locks), and with them the safety of every other connection.
 */

/**
 * Checks the path before SQLite does, because every client reports these failures differently.
 * @returns whether there is a file
 * @throws StoreError `folder_missing`, `not_a_database`, `read_only`
 */
export function checkPath(path: string): boolean {
  const file = statInFolder(path)
  const folder = dirname(path)
  if (!isWritable(folder)) {
    throw refusal(
      'read_only',
      `the folder ${folder} cannot be written, and SQLite keeps files beside ${path}: give this process write permission`,
    )
  }
  if (file !== undefined && !isWritable(path)) {
    throw refusal('read_only', `${path} cannot be written: give this process write permission`)
  }
  return file !== undefined
}

/**
 * For read-only access, where a missing file must not be created.
 * @throws StoreError `folder_missing`, `not_a_database`, `store_failed`
 */
export function assertFileThere(path: string): void {
  if (statInFolder(path) === undefined) throw refusal('store_failed', `there is no file ${path}: check the path`)
}

/** The identity of the file that the path leads to now; undefined when there is none. Unique as long as some process has the file open. */
export function fileIdentity(path: string): string | undefined {
  const file = stat(path)
  return file === undefined ? undefined : `${file.dev}:${file.ino}`
}

/** Changes when the file is written; undefined when there is none. */
export function stateOfFile(path: string): string | undefined {
  const file = stat(path)
  return file === undefined ? undefined : `${file.dev}:${file.ino}:${file.size}:${file.mtimeNs}`
}

function statInFolder(path: string): BigIntStats | undefined {
  const folder = dirname(path)
  if (stat(folder) === undefined) {
    throw refusal('folder_missing', `the folder ${folder} of ${path} does not exist: create it, or name another file`)
  }
  const file = stat(path)
  if (file?.isDirectory() === true) throw refusal('not_a_database', `${path} is a folder: name a file in it`)
  return file
}

function stat(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    // A part of the path is not a folder, or is not readable, so the file counts as missing.
    return undefined
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function refusal(code: StoreErrorCode, message: string): StoreError {
  return new StoreError(code, message, { applied: 'no', transient: false })
}
