import { resolve } from 'node:path'
import { assertUnits } from '../../core/units.ts'
import { abandon } from './client/connection.ts'
import { type Driver, type DriverName, loadDriver } from './client/driver.ts'
import { assertFileThere } from './client/file.ts'
import { Database } from './database.ts'
import { empty, storeErrorOf } from './errors.ts'
import { loadOpening } from './load.ts'
import { firstInteger } from './rows.ts'
import { schemaOf } from './schema.ts'

export interface ClockRepairOptions {
  /** The right time, ms since 1970. */
  readonly to: number
  /** As for `sqlite`; the same as any store that this process has open on the file. */
  readonly driver?: DriverName
  /** How long a transaction waits for other processes, in ms. Default 5,000. */
  readonly busyTimeoutMs?: number
}

/** All times are ms since 1970. */
export interface ClockRepair {
  /** Store time as it was. */
  readonly before: number
  /** Store time as it is now: `before` when it was not ahead, and nothing was changed. */
  readonly after: number
  /** Store time cannot be set before this: rows of periods up to there were removed, and would be minted again. 0 when there is no bound. */
  readonly earliest: number
}

/** The statements of a repair. It is done once in a year, so they may walk through their tables. */
const PRUNED_UNTIL = 'SELECT pruned_until FROM store'
const SET_TIME = 'UPDATE store SET time_seen = ?, leapt_from = 0, leapt_at = 0, leapt_until = 0'
const SET_OWNERS = 'UPDATE owner SET seen_at = min(seen_at, ?), expires_at = min(expires_at, ? + lease_ttl_ms)'
const END_WANTS = 'UPDATE budget SET wanted_until = 0 WHERE wanted_until > ?'

/**
 * Sets store time back, after a process with a clock ahead has used the store (S1, S10). Stop that process, or set its clock, before: its next
 * call takes store time ahead again. Other owners may use the store meanwhile. They keep their epochs and leases, and go back to the periods of the
 * new time. Durable on return.
 *
 * Store time goes no further back than to `earliest`; from there it goes on at half the pace of the clock until the clock has caught up.
 *
 * @throws StoreError `folder_missing`, `not_a_database`, `schema_too_new`, `read_only`, `store_busy`, `store_failed` (there is no such file)
 */
export async function repairClock(path: string, options: ClockRepairOptions): Promise<ClockRepair> {
  const { to, driver: choice, busyTimeoutMs = 5_000 } = options
  assertUnits('to', to)
  const file = resolve(path)
  assertFileThere(file)
  const driver = await loadDriver(choice)
  assertStore(driver, file)
  const database = Database.open(driver, file, Math.trunc(busyTimeoutMs))
  try {
    database.begin()
    const repair = database.within(() => repairIn(database, to))
    database.commit()
    return repair
  } finally {
    database.close()
  }
}

function repairIn(database: Database, to: number): ClockRepair {
  const { statements } = database
  const before = loadOpening(database, 0).timeSeen
  const earliest = firstInteger(statements.statement(PRUNED_UNTIL).get([]))
  const after = Math.max(to, earliest)
  if (after >= before) return { before, after: before, earliest }
  statements.statement(SET_TIME).run([after])
  statements.statement(SET_OWNERS).run([after, after])
  statements.statement(END_WANTS).run([after])
  return { before, after, earliest }
}

/** An empty file is not made into a store. */
function assertStore(driver: Driver, file: string): void {
  try {
    const connection = driver.open(file)
    try {
      connection.exec('BEGIN')
      if (schemaOf(connection, file) === null) throw empty(file)
    } finally {
      abandon(connection)
    }
  } catch (error) {
    throw storeErrorOf(error, file, 'open')
  }
}
