import { expect, it } from 'vitest'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { closing, newPath } from './sqlite-fixture.ts'

const WEEK_MS = 7 * 86_400_000

it('P6: each deletion forgets at most 10 that are past, the earliest first, and none that still counts', async () => {
  const path = newPath()
  let now = 1_000_000
  const store = closing(sqlite(path, { thread: false, now: () => now }))
  const driver = await loadDriver(undefined)
  const kept = (): unknown => {
    const database = driver.open(path)
    const rows = database.prepare('SELECT key FROM deleted_key ORDER BY deleted_at').all([])
    database.close()
    return rows.flat()
  }
  for (let at = 0; at < 12; at += 1) {
    now += 1
    await store.delete?.(`k${at}`)
  }
  now += 1
  await store.delete?.('k0')
  now += WEEK_MS
  await store.delete?.('new')
  expect(kept()).toEqual(['k11', 'k0', 'new'])
  await store.delete?.('new')
  expect(kept()).toEqual(['k0', 'new'])
})
