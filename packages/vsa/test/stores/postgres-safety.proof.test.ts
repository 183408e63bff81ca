import type { Pool } from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type PostgresServer, postgresServer, type ServerSettings } from '../../../../servers/src/postgres.ts'
import type { Store } from '../../src/core/store.ts'
import type { PostgresOptions } from '../../src/stores/postgres/index.ts'
import { newSchema, poolOn, storeOn, until } from './postgres-fixture.ts'
import { applied, batch, entry, fault } from './sqlite-fixture.ts'

type Skip = (reason: string) => void

/** One of its own, whose settings the test may change; the test is skipped where there is no Postgres. */
async function serverFor(skip: Skip, settings: ServerSettings = {}): Promise<PostgresServer> {
  const server = await postgresServer(settings)
  if ('reason' in server) return skip(server.reason) as never
  onTestFinished(() => server.stop())
  return server
}

/** As `ALTER SYSTEM` and a reload do while the server runs. Resolves when new statements see it. */
async function set(pool: Pool, name: string, value: string): Promise<void> {
  await pool.query(`alter system set ${name} = '${value}'`)
  await pool.query('select pg_reload_conf()')
  await until(pool, `current_setting('${name}') = '${value}'`)
}

function warnings(): () => readonly string[] {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  onTestFinished(() => warn.mockRestore())
  return () => warn.mock.calls.map(([warning]) => String(warning))
}

function storesOn(pool: Pool): (options?: PostgresOptions) => Store {
  const schema = newSchema()
  return (options = {}) => storeOn(pool, { schema, ...options })
}

it('full_page_writes off: one warning, and strict refuses it, also when it is set while the store is open', async ({
  skip,
}) => {
  const warned = warnings()
  const pool = poolOn((await serverFor(skip)).url)
  const open = storesOn(pool)
  const store = open({ strict: true })
  const before = await store.join('test')
  expect(warned()).toEqual([])
  await set(pool, 'full_page_writes', 'off')
  await expect(store.join('test')).rejects.toMatchObject(fault('store_unsafe'))
  await expect(open({ strict: true }).join('test')).rejects.toThrow('Set full_page_writes on')
  // Its owner is not stopped in the middle of its work.
  applied(await store.exchange(batch(before, 1, { entries: [entry()] })))
  expect(await open().join('test')).toMatchObject({ mayForget: false })
  expect(await open().join('test')).toMatchObject({ mayForget: false })
  expect(warned()).toEqual([expect.stringMatching(/^vsa: the Postgres store .* full_page_writes is off/)])
})

it('F4, F11: a standby that comes later: an owner that joins then remembers, the others by one of their next answers; strict refuses it, and a backup does not count', async ({
  skip,
}) => {
  const warned = warnings()
  const primary = await serverFor(skip)
  const pool = poolOn(primary.url)
  const open = storesOn(pool)
  const store = open()
  const before = await store.join('test')
  // A standby is looked for in a third of a lease lifetime of store time: here as soon as time has passed.
  const own = open({ strict: true, leaseTtlMs: 3 })
  const alone = await own.join('test')
  expect(applied(await own.exchange(batch(alone, 1))).mayForget).toBeUndefined()
  const connected = `exists (select from pg_stat_replication where state = 'streaming')`
  const backup = await serverFor(skip, { standbyOf: `${primary.url}?application_name=pg_basebackup` })
  await until(pool, connected)
  expect([before, await store.join('test'), await open({ strict: true }).join('test')]).toMatchObject([
    { mayForget: false },
    { mayForget: false },
    { mayForget: false },
  ])
  await backup.crash?.()
  await until(pool, `not ${connected}`)
  expect(warned()).toEqual([])
  await serverFor(skip, { standbyOf: primary.url })
  await until(pool, connected)
  const told: unknown[] = []
  for (let seq = 2; seq < 9; seq += 1) told.push(applied(await own.exchange(batch(alone, seq))).mayForget)
  expect(told.at(-1)).toBe(true)
  expect(warned()).toHaveLength(1)
  await expect(open({ strict: true }).join('test')).rejects.toMatchObject(fault('store_unsafe'))
  await expect(open({ strict: true }).join('test')).rejects.toThrow('Set synchronous_standby_names')
  const after = await store.join('test')
  expect(after).toMatchObject({ mayForget: true, frozenUntil: 0, incarnation: before.incarnation })
  expect(await open({ strict: true, mayForget: false }).join('test')).toMatchObject({ mayForget: false })
  for (const owner of [before, after])
    expect(applied(await store.exchange(batch(owner, 1, { entries: [entry()] })))).toMatchObject({ mayForget: true })
  expect(warned()).toEqual([
    expect.stringMatching(/less than the lease lifetime, 3 ms/),
    expect.stringMatching(/may lose spending .* less than the lease lifetime, 10000 ms/),
  ])
})

it('F4: synchronous_commit local of the role: no commit waits for the standby, so the store may forget', async ({
  skip,
}) => {
  const warned = warnings()
  const { url } = await serverFor(skip, { options: ['synchronous_standby_names=away'] })
  const open = storesOn(poolOn(url, { options: '-c synchronous_commit=local' }))
  await expect(open({ strict: true }).join('test')).rejects.toThrow('synchronous_commit of this role is local')
  expect(await open().join('test')).toMatchObject({ mayForget: true, frozenUntil: 0 })
  expect(warned()).toHaveLength(1)
})

it('S7: synchronous_commit off of the role: a commit waits for the standby all the same', async ({ skip }) => {
  const { url } = await serverFor(skip)
  const pool = poolOn(url, { options: '-c synchronous_commit=off' })
  await set(pool, 'synchronous_standby_names', 'away')
  const store = storesOn(pool)({ strict: true })
  const joining = store.join('test').catch(() => undefined)
  await until(pool, `exists (select from pg_stat_activity where wait_event = 'SyncRep')`)
  await set(pool, 'synchronous_standby_names', '')
  expect(await joining).toMatchObject({ mayForget: false })
})
