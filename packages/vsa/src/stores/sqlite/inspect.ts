import { resolve } from 'node:path'
import type { CounterRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange } from '../../core/store.ts'
import { abandon, loadDriver, type Connection, type DatabaseConstructor, type DriverName } from './client/driver.ts'
import { empty, storeErrorOf } from './errors.ts'
import { assertFileThere } from './client/file.ts'
import { listBudgets, listCounters, listOwners, listOwnersOfSchema1, type CounterRange } from './list.ts'
import { schemaOf } from './schema.ts'
import { StatementCache } from './client/statement-cache.ts'

export type { CounterRow } from '../../core/rows.ts'
export type { CounterRange } from './list.ts'

export interface InspectionOptions {
  /** As for `sqlite`; the same as any store that this process has open on the file. */
  readonly driver?: DriverName | DatabaseConstructor
  /** How long opening waits for other processes, in ms. Default 5,000. */
  readonly busyTimeoutMs?: number
}

/**
 * A consistent snapshot of the rows: one read transaction from opening to `close`, however long that takes. Other processes may write meanwhile.
 * Until it is closed the write-ahead log cannot be reset, so do not keep it open for long. Synchronous.
 */
export interface Inspection {
  /** One page of budgets with their leases, at most 10,000. */
  list(range: ListRange): ListPage
  owners(): readonly OwnerRow[]
  /** One page of counters. */
  counters(range: CounterRange): readonly CounterRow[]
  /** Idempotent. */
  close(): void
}

/**
 * Opens a store's file read-only, for `verify` and `inspect`; owners may continue to write it.
 * @throws StoreError `folder_missing`, `not_a_database`, `schema_too_new`, `store_busy`, `store_failed` (there is no such file)
 */
export async function openReadOnly(path: string, options: InspectionOptions = {}): Promise<Inspection> {
  const { driver: choice, busyTimeoutMs = 5_000 } = options
  const file = resolve(path)
  assertFileThere(file)
  const driver = await loadDriver(choice)
  let connection: Connection | undefined
  try {
    connection = driver.open(file)
    connection.exec(`PRAGMA busy_timeout = ${Math.trunc(busyTimeoutMs)}; PRAGMA query_only = ON; BEGIN`)
    // The first read takes the snapshot.
    const schema = schemaOf(connection, file)
    if (schema === null) throw empty(file)
    return inspectionOf(connection, file, schema)
  } catch (error) {
    if (connection !== undefined) abandon(connection)
    throw storeErrorOf(error, file, 'open')
  }
}

function inspectionOf(connection: Connection, path: string, schema: number): Inspection {
  const statements = new StatementCache(connection)
  const guarded = <T>(read: () => T): T => {
    try {
      return read()
    } catch (error) {
      throw storeErrorOf(error, path, 'work')
    }
  }
  return {
    list: (range) => guarded(() => listBudgets(statements, range)),
    owners: () => guarded(() => (schema === 1 ? listOwnersOfSchema1(statements) : listOwners(statements))),
    counters: (range) => guarded(() => listCounters(statements, range)),
    close: () => end(connection, statements),
  }
}

function end(connection: Connection, statements: StatementCache): void {
  if (!statements.isOpen) return
  statements.close()
  abandon(connection)
}
