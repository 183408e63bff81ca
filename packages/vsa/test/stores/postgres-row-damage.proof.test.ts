import { afterAll, describe, expect, it } from 'vitest'
import { MINT_ID, servedAround, STOPPED, UNHARMED } from './row-damage.ts'
import { dropSchemas, newPool, newSchema, poolOn, storeOn } from './postgres-fixture.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'

const server = await postgresServer()
const url = 'url' in server ? server.url : ''
const admin = newPool(url)

afterAll(async () => {
  if ('url' in server) await dropSchemas(admin)
  await admin.end()
  if ('stop' in server) await server.stop()
})

const HUGE = '9223372036854775000'
/** What the checks of the tables exclude, and damaged files do not. */
const UNCHECKED = `do $$ declare c record; begin
for c in select conrelid::regclass as name, conname from pg_constraint where contype = 'c' and connamespace = current_schema()::regnamespace loop
execute format('alter table %s drop constraint %I', c.name, c.conname);
end loop; end $$`

describe.skipIf('reason' in server).each([true, false])('rows of one key in Postgres, fastPath %s', (fastPath) => {
  async function damaged(statement: string, ask?: Parameters<typeof servedAround>[2]): Promise<unknown> {
    const schema = newSchema()
    const pool = poolOn(url, { options: `-c search_path=${schema}`, max: 3 })
    const damage = async (): Promise<boolean> => {
      await pool.query(UNCHECKED)
      return (await pool.query(statement)).rowCount === 1
    }
    return servedAround(storeOn(poolOn(url), { schema, fastPath }), damage, ask)
  }

  it.each(['held + 5', 'held - 5', '-1', HUGE])('S6: a lease whose held is %s stops its row alone', async (held) => {
    expect(await damaged(`update lease set held = ${held} where key = 'k:bad'`)).toEqual(STOPPED)
  })

  it('S6: a lease that is not there stops its row alone', async () => {
    expect(await damaged(`delete from lease where key = 'k:bad'`)).toEqual(STOPPED)
  })

  it.each([
    ...['minted', 'used', 'reserved', 'burned', 'pool', 'leased'].flatMap((column) => [
      `${column} = ${column} + 1`,
      `${column} = ${HUGE}`,
    ]),
    `burned = burned + ${HUGE}, pool = pool - ${HUGE}`,
    ...['lessees = 2', 'lessees = 0', 'lessees = -1'],
    ...['limit_units', 'version'].flatMap((column) => [`${column} = -1`, `${column} = ${HUGE}`]),
    `wanted_until = ${HUGE}`,
  ])('S6: a budget with %s is stopped alone', async (change) => {
    expect(await damaged(`update budget set ${change} where key = 'k:bad'`)).toEqual(STOPPED)
  })

  it('S6: peek of a row that cannot be read says that it is quarantined', async () => {
    expect(await damaged(`update budget set used = ${HUGE} where key = 'k:bad'`, (bad) => bad.peek())).toEqual(STOPPED)
  })

  it('S6: a mint that cannot be read stops its row alone', async () => {
    const statement = `update mint set units = ${HUGE} where key = 'k:bad'`
    expect(await damaged(statement, (bad) => bad.mint(5, { id: MINT_ID }))).toEqual(STOPPED)
  })

  it.each([`value = ${HUGE}`, `value = -${HUGE}`])('S6: a counter with %s is stopped alone', async (change) => {
    const stopped = { ...UNHARMED, counter: 'quarantined', quarantined: ['likes'] }
    expect(await damaged(`update counter set ${change} where key = 'likes'`)).toEqual(stopped)
  })
})
