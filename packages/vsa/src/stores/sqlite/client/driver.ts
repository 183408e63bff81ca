import { pathToFileURL } from 'node:url'
import { invariant, StoreError } from '../../../core/errors.ts'
import { isFromSqlite } from '../errors.ts'
import { adapt, type ClientDatabase, type Connection } from './connection.ts'

export type { ClientDatabase, ClientStatement, Connection, Row, Statement, Value } from './connection.ts'

/** Opens connections with one of the clients. */
export interface Driver {
  readonly name: string
  open(path: string): Connection
}

/** A client that is loaded by its name. */
export interface NamedDriver extends Driver {
  /** Opens an existing file without access to write it. */
  openReadOnly(path: string): Connection
}

/** The clients that are loaded by name, in this order. */
export type DriverName = 'node:sqlite' | 'libsql' | 'better-sqlite3'

/** The `Database` class of libsql or better-sqlite3, or `DatabaseSync` of node:sqlite, or a class with the same interface. */
export interface DatabaseConstructor {
  new (path: string): ClientDatabase
}

/** The class of a named client, with its options. */
interface NamedConstructor {
  new (path: string, options?: Readonly<Record<string, boolean>>): ClientDatabase
}

const NAMES: readonly DriverName[] = ['node:sqlite', 'libsql', 'better-sqlite3']

/** How each client opens a file read-only. libsql has no option for it, and understands SQLite's URIs. */
const READ_ONLY: Readonly<Record<DriverName, (Database: NamedConstructor, path: string) => ClientDatabase>> = {
  'node:sqlite': (Database, path) => new Database(path, { readOnly: true }),
  libsql: (Database, path) => new Database(`${pathToFileURL(path).href}?mode=ro`),
  'better-sqlite3': (Database, path) => new Database(path, { readonly: true, fileMustExist: true }),
}

/** The most characters of a client's own message. */
const REASON_LENGTH_MAX = 400

interface Failure {
  readonly name: string
  readonly error: unknown
}

/**
 * Loads the client of this name, or the first one that works.
 * @throws StoreError `driver_missing`, with the reason when a client is installed and does not work
 */
export async function loadDriver(choice: DriverName | undefined): Promise<NamedDriver> {
  const failures: Failure[] = []
  for (const name of choice === undefined ? NAMES : [choice]) {
    try {
      return namedDriver(name, await importDatabase(name))
    } catch (error) {
      failures.push({ name, error })
    }
  }
  throw notLoaded(failures)
}

/** Wraps a `Database` class that was handed in. */
export function givenDriver(Database: DatabaseConstructor): Driver {
  const name = Database.name || 'Database'
  return { name, open: (path) => adapt(given(name, () => new Database(path))) }
}

/** A class whose binary does not load fails with its first database. @throws StoreError `driver_missing`; errors of SQLite as they are */
function given(name: string, open: () => ClientDatabase): ClientDatabase {
  try {
    return open()
  } catch (error) {
    throw isFromSqlite(error) ? error : notLoaded([{ name, error }])
  }
}

function namedDriver(name: DriverName, Database: NamedConstructor): NamedDriver {
  return {
    name,
    open: (path) => adapt(new Database(path)),
    openReadOnly: (path) => adapt(READ_ONLY[name](Database, path)),
  }
}

/** The name is a variable so that TypeScript and bundlers do not resolve a client that is not installed. */
async function importDatabase(name: DriverName): Promise<NamedConstructor> {
  const specifier: string = name
  const module: unknown = await import(specifier)
  invariant(typeof module === 'object' && module !== null, `${name} is no module`)
  const candidate: unknown =
    'DatabaseSync' in module ? module.DatabaseSync : 'default' in module ? module.default : undefined
  invariant(typeof candidate === 'function', `${name} exports no Database class`)
  // The three clients are known by name; a class cannot be checked further without opening a file.
  const Database = candidate as unknown as NamedConstructor
  // better-sqlite3 loads its binary with the first database, and only then notices that it is of another Node.
  new Database(':memory:').close()
  return Database
}

function notLoaded(failures: readonly Failure[]): StoreError {
  const broken = failures.filter((failure) => !isNotInstalled(failure))
  const message = broken.length === 0 ? missing(failures) : notWorking(broken)
  const cause = new AggregateError(failures.map(({ error }) => error))
  return new StoreError('driver_missing', message, { applied: 'no', transient: false, cause })
}

function missing(failures: readonly Failure[]): string {
  const tried = failures.map(({ name }) => name).join(', ')
  return `no SQLite client found (tried ${tried}): run \`npm install libsql\`, or use Node 22.13 or newer, which has node:sqlite. In a bundle, pass the \`Database\` class of a client as \`driver\``
}

function notWorking(broken: readonly Failure[]): string {
  const reasons = broken.map(({ name, error }) => `${name} could not be loaded (${oneLine(error)})`)
  const names = broken.map(({ name }) => name).join(' ')
  return `no SQLite client works: ${reasons.join('; ')}. Run \`npm rebuild ${names}\` with this Node (${process.version}), or \`npm install libsql\``
}

function oneLine(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, ' ')
  return line.length > REASON_LENGTH_MAX ? `${line.slice(0, REASON_LENGTH_MAX)}…` : line
}

/** A file that an installed client lacks has another name. */
function isNotInstalled({ name, error }: Failure): boolean {
  if (!(error instanceof Error && 'code' in error)) return false
  if (error.code === 'ERR_UNKNOWN_BUILTIN_MODULE') return true
  const isMissing = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND'
  return isMissing && new RegExp(`Cannot find (package|module) '${name}'`).test(error.message)
}
