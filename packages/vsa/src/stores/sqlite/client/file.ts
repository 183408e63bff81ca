import { accessSync, chmodSync, constants, realpathSync, statSync, type BigIntStats } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError, type StoreErrorCode } from '../../../core/errors.ts'
import { isMountPoint } from './mounts.ts'

/*
 * Nothing here may open the database file: closing any descriptor of it would drop the locks that SQLite holds on it for this
 * process (POSIX advisory locks), and with them the safety of every other connection.
 */

const PRIVATE = 0o600

/**
 * Checks the path before SQLite does, because every client reports these failures differently.
 * @returns whether there is a file
 * @throws StoreError `folder_missing`, `not_a_database`, `read_only`, `store_unsafe`
 */
export function checkPath(path: string, mounts?: string): boolean {
  const file = statInFolder(path)
  const folder = dirname(path)
  if (!isWritable(folder)) {
    throw refusal(
      'read_only',
      `the folder ${folder} cannot be written, and SQLite keeps files beside ${path}: give this process write permission`,
    )
  }
  if (file === undefined) return false
  if (!isWritable(path)) throw refusal('read_only', `${path} cannot be written: give this process write permission`)
  assertOneName(path, file, mounts)
  return true
}

/**
 * L1: SQLite names the log after the database. A file with two names has two logs, and processes that use different names do not see each
 * other's commits. A symbolic link is no second name, because SQLite follows it first.
 */
function assertOneName(path: string, { nlink }: BigIntStats, mounts?: string): void {
  const why = 'Processes that use another name of the file would not see the commits of this one'
  if (nlink > 1n) {
    const remedy = `remove the others (find them with \`find DIR -samefile ${path}\`), or copy it and use the copy`
    throw refusal('store_unsafe', `${path} has ${nlink} names (hard links). ${why}: ${remedy}`)
  }
  const real = realpathSync(path)
  if (!isMountPoint(real, mounts)) return
  throw refusal(
    'store_unsafe',
    `${path} is mounted as a single file. ${why}: mount its folder instead (in Docker \`-v DIR:${dirname(real)}\`)`,
  )
}

/** Takes all rights from other users. Not an error where the file system has none. */
export function makePrivate(path: string): void {
  try {
    chmodSync(path, PRIVATE)
  } catch {
    // The file is as private as its disk can make it.
  }
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
