import { expect, test } from 'vitest'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import * as sql from '../../src/stores/sqlite/sql.ts'
import { applied, batch, closing, entry, newPath, tampered } from './sqlite-fixture.ts'

test('L7: a steady exchange of one row runs five statements, and touches the index of the owners once in a millisecond', async () => {
  const ran: string[] = []
  let now = 1_000_000
  const driver = tampered({ seen: (statement) => ran.push(statement) })
  const store = closing(sqlite(newPath(), { driver, now: () => now, upkeepEveryMs: 86_400_000 }))
  const joined = await store.join('service')
  const known = entry({ known: true })
  const { policy: _, ...steady } = known
  const take = { need: [[0, 1]], n: 16 } as const
  applied(await store.exchange(batch(joined, 1, { entries: [entry()], takes: [take] })))
  const statementsOf = async (seq: number): Promise<readonly string[]> => {
    ran.length = 0
    applied(await store.exchange(batch(joined, seq, { entries: [steady], takes: [take] })))
    return [...ran]
  }
  const around = ['BEGIN IMMEDIATE', 'PRAGMA data_version', sql.SETTLE_BUDGET]
  expect(await statementsOf(2)).toEqual([...around, sql.RENEW_OWNER_AGAIN, 'COMMIT'])
  now += 1
  expect(await statementsOf(3)).toEqual([...around, sql.RENEW_OWNER, 'COMMIT'])
  expect(await statementsOf(4)).toEqual([...around, sql.RENEW_OWNER_AGAIN, 'COMMIT'])
  const outcome = { granted: [16], notes: {}, written: { records: 1, leaseRecords: 0 } }
  expect(await store.owners()).toMatchObject([{ seq: 4, seenAt: now, expiresAt: now + 10_000, outcome }])
})

test('S2: what another process did to the owner meanwhile is read again, and its times are written', async () => {
  const path = newPath()
  let now = 1_000_000
  const open = (): ReturnType<typeof sqlite> =>
    closing(sqlite(path, { thread: false, driver: 'libsql', now: () => now }))
  const [one, other] = [open(), open()]
  const joined = await one.join('service')
  applied(await one.exchange(batch(joined, 1, { entries: [entry()] })))
  now += 5
  // The same owner through another handle, as after a restart of the thread.
  await other.owners()
  applied(await other.exchange(batch(joined, 2, { entries: [entry({ known: true })] })))
  applied(await one.exchange(batch(joined, 3, { entries: [entry({ known: true })] })))
  expect(await one.owners()).toMatchObject([{ seq: 3, seenAt: now, expiresAt: now + 10_000 }])
  expect(await other.owners()).toMatchObject([{ seq: 3, seenAt: now, expiresAt: now + 10_000 }])
})
