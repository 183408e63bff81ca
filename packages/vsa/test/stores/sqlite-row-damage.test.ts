import { describe, expect, it } from 'vitest'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { MINT_ID, servedAround, STOPPED, UNHARMED } from './row-damage.ts'
import { closing, newPath } from './sqlite-fixture.ts'

const HUGE = '9223372036854775000'

describe('rows of one key in SQLite', () => {
  async function damaged(statement: string, ask?: Parameters<typeof servedAround>[2]): Promise<unknown> {
    const path = newPath()
    const store = closing(sqlite(path, { thread: false }))
    return servedAround(store, () => change(path, statement), ask)
  }

  it.each(['held + 5', 'held - 5', '-1', '0', HUGE])(
    'S6: a lease whose held is %s stops its row alone',
    async (held) => {
      expect(await damaged(`UPDATE lease SET held = ${held} WHERE key = 'k:bad'`)).toEqual(STOPPED)
    },
  )

  it('S6: a lease that is not there stops its row alone', async () => {
    expect(await damaged(`DELETE FROM lease WHERE key = 'k:bad'`)).toEqual(STOPPED)
  })

  it.each([
    ...['minted', 'used', 'reserved', 'burned', 'pool'].flatMap((column) => [
      `${column} = ${column} + 1`,
      `${column} = ${HUGE}`,
    ]),
    ...['limit_units', 'version'].flatMap((column) => [`${column} = -1`, `${column} = ${HUGE}`]),
    ...['wanted_until', 'keep_until', 'ends_at', 'burn_max', 'resets'].map((column) => `${column} = ${HUGE}`),
  ])('S6: a budget with %s is stopped alone', async (columns) => {
    expect(await damaged(`UPDATE budget SET ${columns} WHERE key = 'k:bad'`)).toEqual(STOPPED)
  })

  it('S6: peek of a row that cannot be read says that it is quarantined', async () => {
    expect(await damaged(`UPDATE budget SET used = ${HUGE} WHERE key = 'k:bad'`, (bad) => bad.peek())).toEqual(STOPPED)
  })

  it('S6: a mint that cannot be read stops its row alone', async () => {
    const statement = `UPDATE mint SET units = ${HUGE} WHERE key = 'k:bad'`
    expect(await damaged(statement, (bad) => bad.mint(5, { id: MINT_ID }))).toEqual(STOPPED)
  })

  it.each([HUGE, `-${HUGE}`])('S6: a counter of %s is stopped alone', async (value) => {
    const stopped = { ...UNHARMED, counter: 'quarantined', quarantined: ['likes'] }
    expect(await damaged(`UPDATE counter SET value = ${value} WHERE key = 'likes'`)).toEqual(stopped)
  })
})

/** By the client that the store uses: two copies of SQLite in one process would drop each other's locks. */
async function change(path: string, statement: string): Promise<boolean> {
  const connection = (await loadDriver(undefined)).open(path)
  connection.exec('PRAGMA ignore_check_constraints = 1')
  connection.exec(statement)
  const [changed] = connection.prepare('SELECT changes()').all([])
  connection.close()
  return changed?.[0] === 1
}
