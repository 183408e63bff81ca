import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { StoreError } from '../../core/errors.ts'
import type { RowName } from '../../core/exchange.ts'
import type { CounterRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange } from '../../core/store.ts'
import { abandon, begin, type Connection } from './client/connection.ts'
import { loadDriver, type DriverName, type NamedDriver } from './client/driver.ts'
import { assertFileThere } from './client/file.ts'
import { patiently } from './client/patience.ts'
import { copyStill, type StillCopy } from './client/still-copy.ts'
import { empty, isDamage, storeErrorOf } from './errors.ts'
import {
  listBudgets,
  listBudgetsOfSchema2,
  listCounters,
  listNames,
  listOwners,
  listOwnersOfSchema1,
  listReservations,
  type CounterRange,
  type ReservationList,
  type ReservationRange,
} from './list.ts'
import { schemaOf } from './schema.ts'
import { StatementCache } from './client/statement-cache.ts'
import { bytes, decode, textDamage } from './text-check.ts'

export type { CounterRow } from '../../core/rows.ts'
export type { CounterRange, ReservationList, ReservationRange } from './list.ts'

export interface InspectionOptions {
  /** As for `sqlite`; the same as any store that this process has open on the file. */
  readonly driver?: DriverName
  /** How long opening waits for other processes, in ms. Default 5,000. */
  readonly busyTimeoutMs?: number
}

/** The most findings of one integrity check. */
const FINDINGS_MAX = 100

/**
 * A consistent snapshot of the rows: one read transaction from opening to `close`, however long that takes. Other processes may write meanwhile.
 * Until it is closed the write-ahead log cannot be reset, so do not keep it open for long. Synchronous.
 */
export interface Inspection {
  /** One page of budgets with their leases, at most 10,000. */
  list(range: ListRange): ListPage
  /** The names of one page of budgets: also where `list` throws, because a row holds what the store cannot have written. */
  names(range: ListRange): readonly RowName[]
  owners(): readonly OwnerRow[]
  /** One page of counters. */
  counters(range: CounterRange): readonly CounterRow[]
  /** One page of reservations: one that cannot be read does not hide the others. None in a file of an older schema. */
  reservations(range: ReservationRange): ReservationList
  /**
   * SQLite's own check of the file (`PRAGMA integrity_check`): pages, indexes and constraints. It reads the whole file.
   * @returns what is wrong, at most 100 findings; empty when the file is sound
   */
  integrity(): readonly string[]
  /**
   * Text that is no UTF-8, which SQLite's own check accepts. Call it before any row is read: libsql ends the process when it reads such text.
   * @returns what is wrong, one finding a column; empty when every text can be read
   */
  textDamage(): readonly string[]
  /** Idempotent. */
  close(): void
}

/**
 * Opens a store's file for `verify` and `inspect`, and writes nothing: neither rows, nor the file, nor others beside it. Owners may continue to
 * write. A file that no process has open, as a backup, is read from a private copy in the folder for temporary files, with its log if it has
 * one; so it may be on a read-only disk. One in use is read in place; its `-shm` file, which holds no rows, must be readable.
 * @throws StoreError `folder_missing`, `not_a_database`, `schema_too_new`, `store_busy`, `disk_full`, `store_failed` (there is no such file)
 */
export async function openReadOnly(path: string, options: InspectionOptions = {}): Promise<Inspection> {
  const { driver: choice, busyTimeoutMs = 5_000 } = options
  const named = resolve(path)
  assertFileThere(named)
  const driver = await loadDriver(choice)
  const file = realpathSync(named)
  const copy = copyStill(file)
  let connection: Connection | undefined
  try {
    connection = connectionTo(driver, copy, file)
    connection.exec('PRAGMA busy_timeout = 0; PRAGMA query_only = ON')
    const opened = connection
    patiently(busyTimeoutMs, () => begin(opened, 'read'))
    const schema = schemaOf(connection, named)
    if (schema === null) throw empty(named)
    copy?.remove()
    return inspectionOf(connection, { path: named, schema, copy })
  } catch (error) {
    if (connection !== undefined) abandon(connection)
    copy?.remove()
    throw readErrorOf(error, named)
  }
}

function connectionTo(driver: NamedDriver, copy: StillCopy | undefined, file: string): Connection {
  return copy === undefined ? driver.openReadOnly(file) : driver.open(copy.path)
}

const NO_RESERVATIONS: ReservationList = { rows: [], unreadable: [], last: undefined }

interface Inspected {
  readonly path: string
  readonly schema: number
  readonly copy: StillCopy | undefined
}

function inspectionOf(connection: Connection, { path, schema, copy }: Inspected): Inspection {
  const statements = new StatementCache(connection)
  const guarded = <T>(read: () => T): T => {
    try {
      return read()
    } catch (error) {
      throw storeErrorOf(error, path, 'work')
    }
  }
  return {
    list: (range) =>
      guarded(() => (schema < 3 ? listBudgetsOfSchema2(statements, range) : listBudgets(statements, range))),
    names: (range) => guarded(() => listNames(statements, range)),
    owners: () => guarded(() => (schema === 1 ? listOwnersOfSchema1(statements) : listOwners(statements))),
    counters: (range) => guarded(() => listCounters(statements, range)),
    reservations: (range) => guarded(() => (schema < 3 ? NO_RESERVATIONS : listReservations(statements, range))),
    integrity: () => guarded(() => findings(() => integrityFindings(statements))),
    textDamage: () => guarded(() => findings(() => textDamage(statements, schema))),
    close: () => end(connection, statements, copy),
  }
}

/** Also damage that ends the check is a finding. */
function findings(check: () => readonly string[]): readonly string[] {
  try {
    return check()
  } catch (error) {
    if (!isDamage(error)) throw error
    return [error instanceof Error ? error.message : String(error)]
  }
}

/** Read as bytes, because a finding may quote what is damaged. */
function integrityFindings(statements: StatementCache): readonly string[] {
  // Without an argument: some versions of SQLite take it for the name of a table. They stop after 100 findings by themselves.
  const check = statements.statement(
    `SELECT CAST(integrity_check AS BLOB) FROM pragma_integrity_check LIMIT ${FINDINGS_MAX}`,
  )
  const found = check.all([]).map(([value]) => decode(bytes(value)))
  return found.length === 1 && found[0] === 'ok' ? [] : found
}

function end(connection: Connection, statements: StatementCache, copy: StillCopy | undefined): void {
  if (!statements.isOpen) return
  statements.close()
  abandon(connection)
  copy?.remove()
}

/** SQLite's "cannot be written" means here that it cannot take part in the locks of those that write. */
function readErrorOf(error: unknown, path: string): unknown {
  const converted = storeErrorOf(error, path, 'open')
  if (!(converted instanceof StoreError) || converted.code !== 'read_only') return converted
  const message = `${path} is in use, and this process may not read it together with its owners: run it as their user, or on a backup`
  return new StoreError('read_only', message, { applied: 'no', transient: false, cause: error })
}
