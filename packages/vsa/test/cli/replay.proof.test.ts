import { join } from 'node:path'
import { expect, test } from 'vitest'
import { replay } from '../../src/cli/replay/replay.ts'
import { aLog, type ManyKeys, mixed, onceEach, options } from './replay-fixture.ts'
import { aFolder } from './store-fixture.ts'

test('2,000 keys take seconds, and no disk', async () => {
  const file = aLog(aFolder(), onceEach(10, 2_000))
  // Processor time, which does not depend on the load of the machine.
  const before = process.cpuUsage()
  expect((await replay(options(file))).ok).toBe(true)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1_000).toBeLessThan(8_000)
})

test('L7: 5,000 requests of one moment share store calls', async () => {
  const found = (await replay(options(aLog(aFolder(), onceEach(0, 5_000))))).json as ManyKeys
  expect(found.ok).toBe(true)
  // At most 1,000 entries go into one call: five to admit, five to return the leases.
  for (const { storeCalls } of found.trade) expect(storeCalls).toBeLessThanOrEqual(12)
})

test('600 requests: a store in memory and a SQLite file give the same figures', async () => {
  const folder = aFolder()
  const file = aLog(folder, mixed(600))
  const inMemory = (await replay(options(file, { limit: 20 }))).json
  const inFile = (await replay(options(file, { limit: 20, store: join(folder, 'kept.db') }))).json
  expect(inFile).toEqual({ ...(inMemory as object), store: join(folder, 'kept.db') })
})
