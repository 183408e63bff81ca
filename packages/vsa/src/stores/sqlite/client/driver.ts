import { invariant, InvariantError, StoreError } from '../../../core/errors.ts'

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

/** Opens connections with one of the clients. */
export interface Driver {
  readonly name: string
  open(path: string): Connection
}

/** The clients that are loaded by name, in this order. */
export type DriverName = 'node:sqlite' | 'libsql' | 'better-sqlite3'

/** The `Database` class of libsql or better-sqlite3, or `DatabaseSync` of node:sqlite, or a class with the same interface. */
export interface DatabaseConstructor {
  new (path: string): ClientDatabase
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

const NAMES: readonly DriverName[] = ['node:sqlite', 'libsql', 'better-sqlite3']

/** From this value on, clients that bind numbers as doubles need a BigInt: SQLite does not convert doubles of 2^51 or more to integers. */
const WIDE = 2 ** 50

/**
 * Loads the requested client, or the first one that is installed.
 * @throws StoreError `driver_missing`
 */
export async function loadDriver(choice: DriverName | DatabaseConstructor | undefined): Promise<Driver> {
  if (typeof choice === 'function') return driverOf(choice.name || 'Database', choice)
  const causes: unknown[] = []
  for (const name of choice === undefined ? NAMES : [choice]) {
    try {
      return driverOf(name, await importDatabase(name))
    } catch (error) {
      causes.push(error)
    }
  }
  throw missing(choice, causes)
}

/** Wraps a client's `Database` class. */
function driverOf(name: string, Database: DatabaseConstructor): Driver {
  return { name, open: (path) => adapt(new Database(path)) }
}

/** The name is a variable so that TypeScript and bundlers do not resolve a client that is not installed. */
async function importDatabase(name: DriverName): Promise<DatabaseConstructor> {
  const specifier: string = name
  const module: unknown = await import(specifier)
  invariant(typeof module === 'object' && module !== null, `${name} is no module`)
  const candidate: unknown =
    'DatabaseSync' in module ? module.DatabaseSync : 'default' in module ? module.default : undefined
  invariant(typeof candidate === 'function', `${name} exports no Database class`)
  // The three clients are known by name; a class cannot be checked further without opening a file.
  return candidate as unknown as DatabaseConstructor
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

/** Closes a failed connection in any state. Never throws. */
export function abandon(connection: Connection): void {
  rollBack(connection)
  try {
    connection.close()
  } catch {
    // Nothing is lost, because no transaction is open.
  }
}

function missing(choice: DriverName | undefined, causes: readonly unknown[]): StoreError {
  const what =
    choice === undefined
      ? `no SQLite client found (tried ${NAMES.join(', ')})`
      : `the SQLite client ${choice} could not be loaded`
  return new StoreError(
    'driver_missing',
    `${what}: run \`npm install libsql\`, or use Node 22.13 or newer, which has node:sqlite`,
    {
      applied: 'no',
      transient: false,
      cause: new AggregateError(causes),
    },
  )
}

function adapt(database: ClientDatabase): Connection {
  return {
    exec: (sql) => void database.exec(sql),
    prepare: (sql) => adaptStatement(database.prepare(sql)),
    close: () => void database.close(),
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
