import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'

/** Just above twice what the store caches, which it then has just forgotten. */
const BUDGETS = 33_000
const CHUNK = 1_000
/** `npm run bench:sqlite -- --part memory` measures less than 500. A fifth more is more than noise: something more is kept of each lease. */
const BYTES_MAX = 600

function heapUsed(collect: () => void): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

test('a budget with a lease takes less than 600 bytes, key included', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const folder = mkdtempSync(join(tmpdir(), 'vsa-memory-'))
  const vsa = open({ store: sqlite(join(folder, 'vsa.db')), flushIntervalMs: 3_600_000, deadlineMs: 60_000 })
  try {
    const family = vsa.budgets('tenants', { limit: 1_000_000, per: 'month' })
    await vsa.ready()
    const idOf = (index: number): string => String(1_000_000_000 + index)
    const before = heapUsed(collect)
    for (let from = 0; from < BUDGETS; from += CHUNK)
      await Promise.all(Array.from({ length: CHUNK }, (_, index) => family.of(idOf(from + index)).admit()))
    for (let index = 0; index < BUDGETS; index += 1) family.of(idOf(index)).tryAdmit()
    expect((heapUsed(collect) - before) / BUDGETS).toBeLessThan(BYTES_MAX)
    await vsa.flush({ deadlineMs: 60_000 })
    expect(vsa.stats()).toMatchObject({ budgets: BUDGETS, admittedUnits: 2 * BUDGETS })
  } finally {
    await vsa.close({ deadlineMs: 60_000 })
    rmSync(folder, { recursive: true })
  }
})
