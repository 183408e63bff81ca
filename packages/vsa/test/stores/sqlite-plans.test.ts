import Database from 'libsql'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import * as sql from '../../src/stores/sqlite/sql.ts'
import { newPath } from './sqlite-fixture.ts'

/** The table has one row. */
const STORE_ROW = [sql.SAVE_LEAP, sql.RAISE_PRUNED]
/** These read one row, every owner or a bounded slice, so they may scan. */
const WALKS = new Set([
  sql.OWNERS,
  sql.OWNERS_OF_SCHEMA_1,
  sql.LAST_EPOCH,
  sql.RAISE_EPOCH,
  sql.RAISE_TIME,
  ...STORE_ROW,
])

const path = async (): Promise<string> => {
  const file = newPath()
  const store = sqlite(file, { thread: false, driver: 'libsql' })
  await store.join('a')
  await store.close()
  return file
}

describe('query plans', () => {
  it('L7: no statement of an exchange scans a table', async () => {
    const database = new Database(await path())
    for (const text of Object.values(sql).filter((text) => !WALKS.has(text))) {
      const parameters = Array.from({ length: text.split('?').length - 1 }, () => 1)
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).raw().all(parameters)
      const steps = plan.map((row) => String(Array.isArray(row) ? row[3] : row))
      // `store` has one row, `j` is a list of the statement's own. A partial index that holds only matching rows may be scanned.
      const walks = steps.filter(
        (step) => step.startsWith('SCAN') && !/^SCAN s$|^SCAN j VIRTUAL|INDEX (owner|budget)_|CONSTANT ROW/.test(step),
      )
      expect({ text, walks }).toEqual({ text, walks: [] })
    }
    database.close()
  })

  it('L7: each time that an exchange reads first is one index lookup', async () => {
    const database = new Database(await path())
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.OPENING}`).raw().all([1]).join('\n')
    expect(plan).toContain('SEARCH owner USING COVERING INDEX owner_open')
    expect(plan).toContain('SEARCH budget USING COVERING INDEX budget_wanted')
    database.close()
  })

  it('L7, R3, S10: upkeep finds the next retention and the next sweep by one index lookup each', async () => {
    const database = new Database(await path())
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.LEAP}`).raw().all([1]).join('\n')
    expect(plan).toContain('SEARCH budget USING COVERING INDEX budget_kept')
    expect(plan).toContain('SEARCH reservation USING COVERING INDEX reservation_sweep')
    const sweepable = database.prepare(`EXPLAIN QUERY PLAN ${sql.SWEEPABLE}`).raw().all([1, 1, 0]).join('\n')
    expect(sweepable).toContain('SEARCH reservation USING INDEX reservation_sweep')
    database.close()
  })

  it('R7, P2: a reservation is found by primary keys, and the earlier row without a sort', async () => {
    const database = new Database(await path())
    const planOf = (text: string): string => {
      const parameters = Array.from({ length: text.split('?').length - 1 }, () => 1)
      return database.prepare(`EXPLAIN QUERY PLAN ${text}`).raw().all(parameters).join('\n')
    }
    expect(planOf(sql.RESERVATIONS)).toContain('SEARCH r USING INDEX sqlite_autoindex_reservation_1 (key=? AND id=?)')
    expect(planOf(sql.RESERVATIONS)).toContain('SEARCH k USING PRIMARY KEY (key=? AND id=?)')
    for (const text of [sql.EARLIER_BUDGET, sql.SWEEPABLE, sql.LIST_RESERVATIONS, sql.LIST_RESERVATIONS_KEY])
      expect(planOf(text)).not.toContain('TEMP B-TREE')
    database.close()
  })

  it('L7, P6: keys whose deletion is past are found by their time', async () => {
    const database = new Database(await path())
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.FORGET_DELETED_KEYS}`).raw().all([1, 1]).join('\n')
    expect(plan).toContain('SEARCH deleted_key USING COVERING INDEX deleted_key_at (deleted_at<?)')
    expect(plan).not.toContain('TEMP B-TREE')
    database.close()
  })
})
