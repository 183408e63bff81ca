import { afterAll, describe, expect, it } from 'vitest'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { refusalOf, safetyOf, type ServerFacts } from '../../src/stores/postgres/safety.ts'
import { dropSchemas, newPool, newSchema, storeOn } from './postgres-fixture.ts'
import { fault } from './sqlite-fixture.ts'

const sound: ServerFacts = {
  version: 150_020,
  fsync: 'on',
  fullPageWrites: 'on',
  synchronousCommit: 'on',
  synchronousStandbyNames: '',
  isStandby: false,
  hasStandby: false,
  unlogged: [],
  hasStore: true,
}
const settings = { leaseTtlMs: 10_000, mayForget: undefined } as const
const names = { synchronousStandbyNames: 'a', hasStandby: true } as const

describe('what a server may lose', () => {
  it('L1: a standby, fsync=off, unlogged tables and a version that is too old are refused', () => {
    expect(refusalOf(sound)).toBeUndefined()
    expect(refusalOf({ ...sound, version: 130_000, fullPageWrites: 'off', hasStandby: true })).toBeUndefined()
    expect(refusalOf({ ...sound, version: 120_022 })).toBe('Postgres 13 or newer is needed, this is 12')
    expect(refusalOf({ ...sound, isStandby: true })).toMatch(/connect to the primary/)
    expect(refusalOf({ ...sound, fsync: 'off' })).toMatch(/Set fsync=on/)
    expect(refusalOf({ ...sound, unlogged: ['budget', 'lease'] })).toMatch(/table budget is unlogged.*budget, lease/)
  })

  it.each<readonly [what: string, facts: Partial<ServerFacts>, risks: readonly RegExp[], mayForget: boolean]>([
    ['one server', {}, [], false],
    ['synchronous_commit off, which the store sets on', { synchronousCommit: 'off' }, [], false],
    ['synchronous_commit local without a standby', { synchronousCommit: 'local' }, [], false],
    ['a standby that commits wait for', names, [], false],
    ['the same, applied', { ...names, synchronousCommit: 'remote_apply' }, [], false],
    ['a standby', { hasStandby: true }, [/synchronous_standby_names is empty/, /in less than .* 10000 ms/], true],
    ['commits that do not wait', { ...names, synchronousCommit: 'local' }, [/is local/, /10000 ms/], true],
    [
      'the same, while the standby is away',
      { ...names, hasStandby: false, synchronousCommit: 'local' },
      [/is local/, /10000 ms/],
      true,
    ],
    [
      'commits in the memory of the standby',
      { ...names, synchronousCommit: 'remote_write' },
      [/is remote_write/],
      true,
    ],
    ['pages that may be torn', { fullPageWrites: 'off' }, [/full_page_writes is off/], false],
  ])('F4, F11: %s: each risk with its remedy', (_what, facts, risks, mayForget) => {
    const expected = risks.map((risk): unknown => expect.stringMatching(risk))
    expect(safetyOf({ ...sound, ...facts }, settings)).toEqual({ risks: expected, mayForget })
  })

  it('F4: what the user says of it counts: no failover loses anything, or one may', () => {
    const standby = { ...sound, hasStandby: true, fullPageWrites: 'off' }
    expect(safetyOf(standby, { ...settings, mayForget: false })).toEqual({
      risks: [expect.stringMatching(/full_page_writes/)],
      mayForget: false,
    })
    expect(safetyOf(sound, { ...settings, mayForget: true })).toEqual({ risks: [], mayForget: true })
  })
})

const server = await postgresServer()
const pool = newPool('url' in server ? server.url : '')

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

it.skipIf('reason' in server)('L1: a store with a table that is unlogged is refused, until it is logged', async () => {
  const schema = newSchema()
  const store = storeOn(pool, { schema })
  await store.join('test')
  await pool.query(`alter table ${schema}.budget set unlogged`)
  await expect(storeOn(pool, { schema }).join('test')).rejects.toMatchObject(fault('store_unsafe'))
  // An owner that joins later is told, too.
  await expect(store.join('test')).rejects.toThrow(`Postgres schema ${schema}: table budget is unlogged`)
  await pool.query(`alter table ${schema}.budget set logged`)
  expect(await store.join('test')).toMatchObject({ mayForget: false })
})
