import { invariant, InvariantError } from '../../../core/errors.ts'

/** The values that this store binds and reads. Integers are safe integers. */
export type Value = number | string | null

/** One row, columns in the order of the statement. */
export type Row = readonly unknown[]

/** A prepared statement. */
export interface Statement {
  run(parameters: readonly Value[]): void
  get(parameters: readonly Value[]): Row | undefined
  all(parameters: readonly Value[]): readonly Row[]
}

/** One open connection, reduced to what this store needs of it. Every method throws the errors of the client. */
export interface Connection {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export interface ClientDatabase {
  exec(sql: string): unknown
  prepare(sql: string): ClientStatement
  close(): unknown
}

export interface ClientStatement {
  run(...parameters: unknown[]): unknown
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  /** libsql, better-sqlite3. */
  readonly reader?: boolean
  raw?(on?: boolean): unknown
  /** node:sqlite, from 22.16. */
  setReturnArrays?(on: boolean): void
}

/** From this value on, clients that bind numbers as doubles need a BigInt: SQLite does not convert doubles of 2^51 or more to integers. */
const WIDE = 2 ** 50

/** A client's open database as a connection. */
export function adapt(database: ClientDatabase): Connection {
  return {
    exec: (sql) => void database.exec(sql),
    prepare: (sql) => adaptStatement(database.prepare(sql)),
    close: () => void database.close(),
  }
}

/**
 * Rolls a transaction back. Also called before every close: libsql closes the file only after its statements are garbage-collected,
 * and until then an open transaction would keep its lock.
 * @returns false when SQLite refuses, as after the errors that make it roll back by itself
 */
export function rollBack(connection: Connection): boolean {
  try {
    connection.exec('ROLLBACK')
    return true
  } catch {
    return false
  }
}

/**
 * Begins a transaction and takes its lock, by `exec` alone: a prepared statement that finds the file locked stays under way in libsql, and keeps
 * the connection from ever ending its next transaction.
 * @throws errors of the client; then no transaction is open
 */
export function begin(connection: Connection, kind: 'read' | 'write'): void {
  try {
    connection.exec(kind === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1')
  } catch (error) {
    if (kind === 'read') rollBack(connection)
    throw error
  }
}

/** Closes a failed connection in any state. Never throws. */
export function abandon(connection: Connection): void {
  rollBack(connection)
  try {
    connection.close()
  } catch {
    // Nothing is lost, because no transaction is open.
  }
}

function adaptStatement(statement: ClientStatement): Statement {
  if (typeof statement.raw === 'function') {
    // libsql adds a property of its own to row objects, and both refuse `raw` on statements without rows.
    if (statement.reader === true) statement.raw(true)
    return {
      run: (parameters) => void statement.run(bindable(parameters)),
      get: (parameters) => asRow(statement.get(bindable(parameters))),
      all: (parameters) => statement.all(bindable(parameters)).map(rowOf),
    }
  }
  statement.setReturnArrays?.(true)
  return {
    run: (parameters) => void statement.run(...bindable(parameters)),
    get: (parameters) => inRange(() => asRow(statement.get(...bindable(parameters)))),
    all: (parameters) => inRange(() => statement.all(...bindable(parameters)).map(rowOf)),
  }
}

/** node:sqlite throws for an integer that a number cannot hold; the other clients return it as it is. */
function inRange<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE')
      throw new InvariantError(`an integer in the SQLite file is none that this store writes: ${error.message}`)
    throw error
  }
}

function asRow(row: unknown): Row | undefined {
  return row === undefined || row === null ? undefined : rowOf(row)
}

function rowOf(row: unknown): Row {
  if (Array.isArray(row)) return row
  invariant(typeof row === 'object' && row !== null, 'the SQLite client returned a row that is no row')
  return Object.values(row)
}

/** A value that could not be read back must not be written. */
function bindable(parameters: readonly Value[]): readonly unknown[] {
  let wide = false
  for (const value of parameters) {
    if (typeof value !== 'number') continue
    if (!Number.isSafeInteger(value)) throw new InvariantError(`${value} is no safe integer, and must not be written`)
    wide ||= value >= WIDE || value <= -WIDE
  }
  return wide ? parameters.map(widen) : parameters
}

function widen(value: Value): Value | bigint {
  return typeof value === 'number' && (value >= WIDE || value <= -WIDE) ? BigInt(value) : value
}
