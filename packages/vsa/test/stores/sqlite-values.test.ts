import { describe, expect, it } from 'vitest'
import { UNITS_MAX } from '../../src/core/units.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { loadDriver, type DriverName } from '../../src/stores/sqlite/client/driver.ts'
import { applied, batch, closing, count, entry, initial, newPath } from './sqlite-fixture.ts'

const names: readonly DriverName[] = ['node:sqlite', 'libsql', 'better-sqlite3']
const installed: DriverName[] = []
for (const name of names) {
  try {
    await loadDriver(name)
    installed.push(name)
  } catch {
    // This client is not available here; the others are tested.
  }
}

const KEYS = [
  'a',
  'x'.repeat(1_024),
  '😀'.repeat(512),
  `'"\`; DROP TABLE budget; --`,
  '{}',
  '%s',
  '\u0000',
  'a\u0000b',
  'a\u0000c',
  'a\u0001b',
  'a\u0001\u0001b',
  'a',
  'A',
  'é',
  'é',
]

describe.each(installed)('values with %s', (driver) => {
  const open = () => closing(sqlite(newPath(), { driver, thread: false }))

  it('L2: 2^53 - 1 units, a pool below zero and the smallest and largest counters are stored exactly', async () => {
    const store = open()
    const owner = await store.join('a')
    const window = { ...initial, kind: 'window', limit: UNITS_MAX, endsAt: 4e12, keepUntil: 5e12 } as const
    const wide = entry({ period: 1_700_000_000_000, policy: window, hold: UNITS_MAX - 6 })
    const entries = [wide, count('low', -UNITS_MAX), count('high', UNITS_MAX), count('odd', 2 ** 51 + 1)]
    await store.exchange(batch(owner, 1, { entries, takes: [{ need: [[0, 2]], n: 3 }] }))
    const lowered = entry({ ...wide, known: true, policy: { ...window, limit: 1, version: 2 }, spent: UNITS_MAX - 6 })
    const looks = ['low', 'high', 'odd'].map((key) => count(key, 0))
    const answer = applied(await store.exchange(batch(owner, 2, { entries: [{ ...lowered, hold: 0 }, ...looks] })))

    expect(answer.granted).toEqual([])
    const pool = 1 - UNITS_MAX
    expect(answer.entries).toMatchObject([
      { held: 0, pool, used: UNITS_MAX, minted: 1 },
      { value: -UNITS_MAX },
      { value: UNITS_MAX },
      { value: 2 ** 51 + 1 },
    ])
    const [row] = await store.read([{ key: 'seats', period: 1_700_000_000_000 }])
    expect(row).toMatchObject({ pool, used: UNITS_MAX, minted: 1, endsAt: 4e12, keepUntil: 5e12 })
  })

  it('every key is distinct from every other, and is read back unchanged (scenario 19)', async () => {
    const store = open()
    const owner = await store.join('label \u0000 with NUL')
    const keys = [...new Set(KEYS)]
    const entries = keys.map((key, index) => entry({ key, policy: { ...initial, limit: index }, hold: 1 }))
    await store.exchange(batch(owner, 1, { entries }))

    const rows = await store.read(keys.map((key) => ({ key, period: 0 })))
    expect(rows.map((row) => [row.key, row.minted])).toEqual(keys.map((key, index) => [key, index]))
    const { rows: listed } = await store.list({ limit: 10_000 })
    expect(new Set(listed.map(({ budget }) => budget.key))).toEqual(new Set(keys))
    expect(listed.every(({ budget, leases }) => leases.every((lease) => lease.key === budget.key))).toBe(true)
    expect((await store.owners()).map((owner) => owner.label)).toEqual(['label \u0000 with NUL'])
  })

  it('L3: mint ids are distinct in the same way as keys', async () => {
    const store = open()
    const owner = await store.join('a')
    const minting = (seq: number, id: string, units: number) =>
      store.exchange(batch(owner, seq, { entries: [entry({ mint: { units, id } })] }))
    await minting(1, 'a\u0000b', 5)
    await minting(2, 'a\u0000c', 5)
    expect(applied(await minting(3, 'a\u0000b', 5)).entries).toMatchObject([{ mint: 'repeated', minted: 110 }])
    expect(applied(await minting(4, 'a\u0000b', 6)).entries).toMatchObject([{ mint: 'id_conflict', minted: 110 }])
  })

  it('rows are listed in pages, of one key or of all', async () => {
    const store = open()
    const owner = await store.join('a')
    const window = { ...initial, kind: 'window', endsAt: 4e12, keepUntil: 5e12 } as const
    const entries = ['a', 'b\u0000', 'b\u0001', 'c'].flatMap((key) =>
      [1e12, 1.1e12].map((period) => entry({ key, period, policy: window, hold: 1 })),
    )
    await store.exchange(batch(owner, 1, { entries }))
    const names = []
    let page = await store.list({ limit: 3 })
    while (page.rows.length > 0) {
      names.push(...page.rows.map(({ budget }) => [budget.key, budget.period]))
      const last = page.rows.at(-1)?.budget ?? entry()
      page = await store.list({ limit: 3, after: last })
    }
    expect(names).toEqual(entries.map(({ key, period }) => [key, period]))

    const after = { key: 'b\u0000', period: 1e12 }
    const { rows } = await store.list({ key: 'b\u0000', after, limit: 9 })
    expect(rows.map(({ budget, leases }) => [budget.period, leases.length])).toEqual([[1.1e12, 1]])
    for (const limit of [0, 10_001, -1, 1.5]) await expect(store.list({ limit })).rejects.toThrow(RangeError)
    expect((await store.list({ limit: 10_000 })).rows).toHaveLength(8)
    expect((await store.list({ key: 'c', after, limit: 9 })).rows).toHaveLength(2)
    expect((await store.list({ key: 'a', after, limit: 9 })).rows).toHaveLength(0)
  })
})
