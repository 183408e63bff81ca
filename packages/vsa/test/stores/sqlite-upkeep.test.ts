import { describe, expect, it, test } from 'vitest'
import { open } from '../../src/engine/open.ts'
import type { VsaEvent } from '../../src/index.ts'
import { loadDriver, type Row } from '../../src/stores/sqlite/client/driver.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { applied, batch, closing, count, entry, initial, newPath } from './sqlite-fixture.ts'

const LEASE_TTL_MS = 1_000

describe('upkeep on SQLite', () => {
  it('S8, L2: dead leases burn in slices, and an epoch is complete when none are left', async () => {
    const path = newPath()
    let now = 1_000_000
    const store = closing(sqlite(path, { thread: false, now: () => now, leaseTtlMs: LEASE_TTL_MS, upkeepRowsMax: 4 }))
    const dead = await store.join('dead')
    const keys = Array.from({ length: 10 }, (_, index) => `k${index}`)
    await store.exchange(batch(dead, 1, { entries: keys.map((key) => entry({ key, hold: 2 })) }))
    now += LEASE_TTL_MS + 1
    const owner = await store.join('living')
    const states: (readonly [burned: number, leases: number, burning: number])[] = []
    for (let seq = 1; seq <= 4; seq += 1) {
      const { rows } = await store.list({ limit: 99 })
      const burned = rows.reduce((sum, { budget }) => sum + budget.burned, 0)
      const leases = rows.reduce((sum, row) => sum + row.leases.length, 0)
      states.push([burned, leases, await burningIn(path)])
      for (const { budget, leases: held } of rows)
        expect(budget.used + budget.pool + budget.burned + held.length * 2).toBe(budget.minted)
      now += 100
      await store.exchange(batch(owner, seq))
    }
    // The join closes the epoch and burns four leases; then four more each 100 ms.
    expect(states).toEqual([
      [8, 6, 1],
      [16, 2, 1],
      [20, 0, 0],
      [20, 0, 0],
    ])
  })

  it('S8, L4: a dead lease counts as burned before upkeep, and an exchange that names its row burns it', async () => {
    const path = newPath()
    const store = closing(sqlite(path, { thread: false, upkeepEveryMs: 3_600_000 }))
    const [dead, living] = [await store.join('dead'), await store.join('living')]
    const entries = [entry({ key: 'a', hold: 2, policy: { ...initial, burnMax: 2 } }), entry({ key: 'b', hold: 2 })]
    await store.exchange(batch(dead, 1, { entries }))
    // S9 leaves a lease that a closing batch still holds: a closed epoch with leases, and no upkeep since.
    await store.exchange(
      batch(dead, 2, {
        entries: ['a', 'b'].map((key) => entry({ key, known: true, hold: 2 })),
        close: true,
      }),
    )
    const answer = applied(
      await store.exchange(batch(living, 1, { entries: [entry({ key: 'a', known: true, hold: 9 })] })),
    )
    expect(answer.entries).toMatchObject([{ burned: 2, held: 0, others: 0, othersHeld: 0, pool: 98 }])
    const { rows } = await store.list({ limit: 9 })
    expect(rows).toMatchObject([
      { budget: { key: 'a', burned: 2 }, leases: [] },
      { budget: { key: 'b', burned: 0 }, leases: [{ epoch: dead.epoch, held: 2 }] },
    ])
  })
})

describe('a row that cannot be read', () => {
  it.each([
    ['used', '9223372036854775000'],
    ['pool', '-9223372036854775000'],
  ])('S6: %s = %s is a breach that names the row, and other rows are not affected', async (column, value) => {
    const path = newPath()
    const store = closing(sqlite(path, { thread: false }))
    const owner = await store.join('a')
    await store.exchange(batch(owner, 1, { entries: [entry({ key: 'good' }), entry({ key: 'bad' })] }))
    await damage(path, `UPDATE budget SET ${column} = ${value} WHERE key = 'bad'`)
    const entries = [entry({ key: 'good', known: true, hold: 1 }), entry({ key: 'bad', known: true })]
    const answer = await store.exchange(batch(owner, 2, { entries }))
    expect(answer).toMatchObject({ kind: 'breach', row: { key: 'bad', period: 0 } })
    const rest = await store.exchange(batch(owner, 2, { entries: [entries[0] ?? entry(), { kind: 'void' }] }))
    expect(rest).toMatchObject({ kind: 'applied', entries: [{ held: 1 }, { kind: 'void' }] })
  })

  it('S6: a damaged counter is a breach that names it', async () => {
    const path = newPath()
    const store = closing(sqlite(path, { thread: false }))
    const owner = await store.join('a')
    await store.exchange(batch(owner, 1, { entries: [count('likes', 1)] }))
    await damage(path, 'UPDATE counter SET value = 9223372036854775000')
    const answer = await store.exchange(batch(owner, 2, { entries: [count('likes', 1)] }))
    expect(answer).toMatchObject({ kind: 'breach', row: { key: 'likes', period: 0, isCounter: true } })
  })

  it('S8: an unreadable row keeps its dead lease, and upkeep burns the others', async () => {
    const path = newPath()
    let now = 1_000_000
    const store = closing(sqlite(path, { thread: false, now: () => now, leaseTtlMs: LEASE_TTL_MS }))
    const dead = await store.join('dead')
    const keys = ['a', 'b', 'c']
    await store.exchange(batch(dead, 1, { entries: keys.map((key) => entry({ key, hold: 2 })) }))
    await damage(path, `UPDATE budget SET used = 9223372036854775000 WHERE key = 'b'`)
    now += LEASE_TTL_MS + 1
    await store.join('living')
    expect(await query(path, `SELECT key FROM budget WHERE burned = 2`)).toEqual([['a'], ['c']])
    expect(await query(path, 'SELECT key FROM lease')).toEqual([['b']])
    expect(await burningIn(path)).toBe(1)
  })
})

test('S6: an engine leaves out a counter that cannot be read; a sound budget of the same name, and other counters, go on', async () => {
  const path = newPath()
  const store = closing(sqlite(path, { thread: false }))
  const events: VsaEvent[] = []
  const vsa = open({ store, onEvent: (event) => events.push(event) })
  const [likes, views] = [vsa.counter('likes'), vsa.counter('views')]
  const budget = vsa.budget('likes', { initial: 10 })
  likes.add(3)
  expect(await budget.admit()).toBe(true)
  await vsa.flush()
  await damage(path, 'UPDATE counter SET value = 9223372036854775000')
  likes.add(1)
  views.add(2)
  const read = likes.read().catch((error: unknown) => error)
  expect(await budget.admit(2)).toBe(true)
  expect(await read).toMatchObject({ code: 'quarantined' })
  await vsa.flush()
  expect(await views.read()).toBe(2)
  likes.add(5)
  await vsa.close()
  expect(events.filter(({ type }) => type === 'quarantined')).toEqual([
    { type: 'quarantined', key: 'likes', detail: expect.stringContaining('counter "likes"') as string },
  ])
  expect(await query(path, "SELECT used FROM budget WHERE key = 'likes'")).toEqual([[3]])
})

/** By the client that the store uses: two copies of SQLite in one process would drop each other's locks. */
async function damage(path: string, text: string): Promise<void> {
  const connection = (await loadDriver(undefined)).open(path)
  connection.exec(text)
  connection.close()
}

async function query(path: string, text: string): Promise<readonly Row[]> {
  const connection = (await loadDriver(undefined)).open(path)
  const rows = connection.prepare(text).all([])
  connection.close()
  return rows
}

/** Closed epochs that the store still looks at. */
async function burningIn(path: string): Promise<number> {
  const [row] = await query(path, 'SELECT count(*) FROM owner WHERE burning = 1')
  return Number(row?.[0])
}
