import { expect, it } from 'vitest'
import { MemoryRows } from '../../src/stores/memory/rows.ts'

const WEEK_MS = 7 * 86_400_000

function remove(rows: MemoryRows, key: string, time: number): void {
  rows.saveDeletion({ key, budgets: [], leases: [], mints: [] }, time)
}

it('P6: a deletion is known for exactly 7 days, from the last one of the key on', () => {
  const rows = new MemoryRows()
  remove(rows, 'a', 100)
  expect([rows.isDeletedKey('a', 100 + WEEK_MS), rows.isDeletedKey('a', 101 + WEEK_MS)]).toEqual([true, false])
  remove(rows, 'a', 200)
  expect([rows.isDeletedKey('a', 200 + WEEK_MS), rows.isDeletedKey('a', 201 + WEEK_MS)]).toEqual([true, false])
})

it('P6: each deletion forgets at most 10 that are past, the earliest first, and none that still counts', () => {
  const rows = new MemoryRows()
  const keys = Array.from({ length: 12 }, (_, at) => `k${at}`)
  for (const [at, key] of keys.entries()) remove(rows, key, at)
  remove(rows, 'k0', 12)
  // What is still kept would count if it were earlier.
  const kept = (): readonly string[] => [...keys, 'new'].filter((key) => rows.isDeletedKey(key, 0))
  remove(rows, 'new', WEEK_MS + 12)
  expect(kept()).toEqual(['k0', 'k11', 'new'])
  remove(rows, 'new', WEEK_MS + 12)
  expect(kept()).toEqual(['k0', 'new'])
})
