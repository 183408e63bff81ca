import { StoreError, type StoreErrorCode } from '../../core/errors.ts'

/** The step of the transaction that failed. Only a failed COMMIT may have been applied. */
export type Phase = 'open' | 'work' | 'commit'

interface Fault {
  readonly code: StoreErrorCode
  readonly transient: boolean
  /** What happened and what to do; follows the path in the message. */
  readonly advice: string
}

/** By SQLite's primary result code. */
const FAULTS: Readonly<Record<number, Fault>> = {
  5: {
    code: 'store_busy',
    transient: true,
    advice: 'is locked by another process for longer than busyTimeoutMs; it will be tried again',
  },
  6: { code: 'store_busy', transient: true, advice: 'is locked by another connection; it will be tried again' },
  8: {
    code: 'read_only',
    transient: false,
    advice: 'cannot be written: give this process write permission to the file and its folder',
  },
  10: { code: 'store_failed', transient: true, advice: 'could not be read or written: check the disk' },
  11: { code: 'store_failed', transient: false, advice: 'is damaged: restore it from a backup' },
  13: { code: 'disk_full', transient: false, advice: 'cannot grow: free space on its disk' },
  14: { code: 'store_failed', transient: false, advice: 'cannot be opened: check the path and its permissions' },
  15: { code: 'store_busy', transient: true, advice: 'is being recovered by another process; it will be tried again' },
  26: {
    code: 'not_a_database',
    transient: false,
    advice: 'is not a SQLite database, and has been left as it was. Name another file',
  },
}

const UNKNOWN_FAULT: Fault = { code: 'store_failed', transient: false, advice: 'failed' }
const BUSY = 5
const CORRUPT = 11
const NOT_A_DATABASE = 26
const MOVED = 8 | (4 << 8)

/** By name, for clients that do not report a number. */
const CODES: Readonly<Record<string, number>> = {
  SQLITE_BUSY: 5,
  SQLITE_LOCKED: 6,
  SQLITE_READONLY: 8,
  SQLITE_READONLY_DBMOVED: MOVED,
  SQLITE_IOERR: 10,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_CANTOPEN: 14,
  SQLITE_PROTOCOL: 15,
  SQLITE_NOTADB: 26,
}

/**
 * Converts a client's error to a StoreError. An error that is not from SQLite (a failed assertion, a StoreError) is returned unchanged:
 * a bug must not look like an operating failure.
 */
export function storeErrorOf(error: unknown, path: string, phase: Phase): unknown {
  const result = resultCode(error)
  if (result === undefined) return error
  if (result === MOVED) return replaced(path, error)
  const { code, transient, advice } = FAULTS[result & 0xff] ?? UNKNOWN_FAULT
  const applied = phase === 'commit' && (result & 0xff) !== BUSY ? 'unknown' : 'no'
  const detail = error instanceof Error ? error.message : String(error)
  return new StoreError(code, `${path} ${advice} (SQLite: ${detail})`, { applied, transient, cause: error })
}

export function isBusy(error: unknown): boolean {
  return ((resultCode(error) ?? 0) & 0xff) === BUSY
}

/** The file itself is damaged, or is not what its header says. */
export function isDamage(error: unknown): boolean {
  const primary = (resultCode(error) ?? 0) & 0xff
  return primary === CORRUPT || primary === NOT_A_DATABASE
}

export function replaced(path: string, cause?: unknown): StoreError {
  const message = `${path} was deleted or replaced while it was in use: restart every process that uses it`
  return new StoreError('database_replaced', message, { applied: 'no', transient: false, cause })
}

export function empty(path: string): StoreError {
  return new StoreError('not_a_database', `${path} is empty: no engine has joined it yet`, {
    applied: 'no',
    transient: false,
  })
}

/** node:sqlite: `errcode`; libsql: `rawCode` and `code`, or only a message; better-sqlite3: `code`. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode
  if ('rawCode' in error && typeof error.rawCode === 'number') return error.rawCode
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_'))
    return codeByName(error.code)
  const connection = /^ConnectionFailed\(.*: (\d+)"\)$/.exec(error.message)
  return connection === null ? undefined : Number(connection[1])
}

/** `SQLITE_IOERR_WRITE` is a kind of `SQLITE_IOERR`. 1 is SQLite's generic error. */
function codeByName(name: string): number {
  return CODES[name] ?? CODES[name.split('_', 2).join('_')] ?? 1
}
