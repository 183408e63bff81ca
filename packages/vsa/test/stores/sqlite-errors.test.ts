import { describe, expect, it } from 'vitest'
import { InvariantError, StoreError } from '../../src/core/errors.ts'
import {
  empty,
  isBusy,
  isDamage,
  isFromSqlite,
  isLockLoss,
  locksLost,
  type Phase,
  replaced,
  storeErrorOf,
} from '../../src/stores/sqlite/errors.ts'

/* No file: what SQLite and its clients report, and what the caller of the store is told. */

const PATH = '/data/books.db'

/** An error of a client, with the fields that it has. */
function clientError(fields: object, message = 'what SQLite says'): Error {
  return Object.assign(new Error(message), fields)
}

function told(error: unknown, phase: Phase = 'work'): StoreError {
  const found = storeErrorOf(error, PATH, phase)
  if (!(found instanceof StoreError)) throw new Error(`no StoreError: ${String(found)}`)
  return found
}

/** Code of SQLite, its name, and what becomes of it. */
const RESULTS = [
  [1, 'SQLITE_ERROR', 'store_failed', false, 'failed'],
  [5, 'SQLITE_BUSY', 'store_busy', true, 'is locked by another process for longer than busyTimeoutMs'],
  [6, 'SQLITE_LOCKED', 'store_busy', true, 'is locked by another connection; it will be tried again'],
  [8, 'SQLITE_READONLY', 'read_only', false, 'cannot be written: give this process write permission'],
  [10, 'SQLITE_IOERR', 'store_failed', true, 'could not be read or written: check the disk'],
  [11, 'SQLITE_CORRUPT', 'store_failed', false, 'is damaged: restore it from a backup'],
  [13, 'SQLITE_FULL', 'disk_full', false, 'cannot grow: free space on its disk'],
  [14, 'SQLITE_CANTOPEN', 'store_failed', false, 'cannot be opened: check the path and its permissions'],
  [15, 'SQLITE_PROTOCOL', 'store_busy', true, 'is being recovered by another process; it will be tried again'],
  [26, 'SQLITE_NOTADB', 'not_a_database', false, 'is not a SQLite database, and has been left as it was'],
] as const

describe.each(RESULTS)('the result code %i of SQLite, %s,', (result, name, code, transient, advice) => {
  it.each([
    ['node:sqlite', { code: 'ERR_SQLITE_ERROR', errcode: result }],
    ['node:sqlite, extended', { code: 'ERR_SQLITE_ERROR', errcode: result | (3 << 8) }],
    ['libsql', { code: name, rawCode: result }],
    ['better-sqlite3', { code: name }],
    ['better-sqlite3, extended', { code: `${name}_OTHER` }],
  ])('has its code, says whether it passes, and advises, from %s', (_, fields) => {
    const cause = clientError(fields)
    const error = told(cause)
    expect(error).toMatchObject({ code, transient, applied: 'no', cause })
    expect(error.message.startsWith(`${PATH} ${advice}`), error.message).toBe(true)
    expect(error.message.endsWith('(SQLite: what SQLite says)'), error.message).toBe(true)
    expect(isFromSqlite(cause)).toBe(true)
    expect([isBusy(cause), isDamage(cause)]).toEqual([result === 5, result === 11 || result === 26])
  })

  it('L3: has an unknown outcome at a COMMIT, unless the COMMIT did not begin', () => {
    const outcomes = (['open', 'work', 'commit'] as const).map(
      (phase) => told(clientError({ code: name }), phase).applied,
    )
    expect(outcomes).toEqual(['no', 'no', result === 5 ? 'no' : 'unknown'])
  })
})

describe('an error that has no known code', () => {
  it('of libsql, when it opens a file, is read from the message', () => {
    const message = 'ConnectionFailed("Unable to open connection to local database /data/books.db: 14")'
    expect(told(new Error(message), 'open')).toMatchObject({ code: 'store_failed', transient: false })
    expect(told(new Error(message), 'open').message).toContain('cannot be opened')
    for (const other of [`so ${message}`, `${message} so`]) expect(isFromSqlite(new Error(other))).toBe(false)
  })

  it('of SQLite is a failure without advice', () => {
    expect(told(clientError({ errcode: 99 })).message).toBe(`${PATH} failed (SQLite: what SQLite says)`)
    expect(told(clientError({ code: 'SQLITE_NEW' }))).toMatchObject({ code: 'store_failed', transient: false })
  })

  it.each([
    new InvariantError('a bug'),
    new StoreError('disk_full', 'm', { applied: 'no', transient: false }),
    clientError({ code: 'ENOENT' }),
    clientError({ code: 5 }),
    clientError({ errcode: '5' }),
    clientError({ rawCode: '5' }),
    'SQLITE_BUSY',
    { code: 'SQLITE_BUSY' },
    undefined,
  ])('is none of SQLite, and is not changed: %s', (error) => {
    expect(storeErrorOf(error, PATH, 'commit')).toBe(error)
    expect([isFromSqlite(error), isBusy(error), isDamage(error)]).toEqual([false, false, false])
  })
})

describe('a file that is not the same any more', () => {
  it.each([
    ['by number', { rawCode: 1_032 }],
    ['by name', { code: 'SQLITE_READONLY_DBMOVED' }],
  ])('L1: SQLite reports that it was moved, %s: not read-only, but replaced', (_, fields) => {
    const cause = clientError(fields)
    expect(told(cause, 'commit')).toMatchObject({ code: 'database_replaced', transient: false, applied: 'no', cause })
  })

  it('L1: each error says what happened, what to do, and what may have been applied', () => {
    expect(replaced(PATH)).toMatchObject({ code: 'database_replaced', applied: 'no', transient: false })
    expect(replaced(PATH, 'unknown').applied).toBe('unknown')
    expect(replaced(PATH).message).toMatch(/^\/data\/books\.db, or a file beside it, .* restart every process/)
    expect(locksLost(PATH, 'unknown')).toMatchObject({ code: 'store_lost', applied: 'unknown', transient: true })
    expect(locksLost(PATH, 'no').message).toMatch(/\/data\/books\.db .* `VACUUM INTO`/)
    expect([isLockLoss(locksLost(PATH, 'no')), isLockLoss(replaced(PATH)), isLockLoss(new Error('x'))]).toEqual([
      true,
      false,
      false,
    ])
    expect(empty(PATH)).toMatchObject({ code: 'not_a_database', applied: 'no', transient: false })
    expect(empty(PATH).message).toBe(`${PATH} is empty: no engine has joined it yet`)
  })
})
