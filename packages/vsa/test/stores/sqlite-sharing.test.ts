import type { Joined } from '../../src/core/store.ts'
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { openReadOnly } from '../../src/stores/sqlite/inspect.ts'
import { applied, batch, closing, count, entry, fault, newPath, tampered } from './sqlite-fixture.ts'

const open = (path: string, now: () => number = () => Date.now()) =>
  closing(sqlite(path, { thread: false, driver: 'libsql', now }))

describe('one file, several connections', () => {
  it('the first call after `close` opens the file again', async () => {
    const store = open(newPath())
    const owner = await store.join('a')
    await store.close()
    await store.close()
    expect((await store.exchange(batch(owner, 1, { entries: [count('c', 1)] }))).kind).toBe('applied')
    await store.close()
    expect(await store.owners()).toHaveLength(1)
    await store.close()
    expect(await store.read([{ key: 'seats', period: 0 }])).toEqual([])
    await store.close()
    expect((await store.join('b')).epoch).toBe(2)
  })

  it('S2: two connections get different epochs, and see each other’s leases (scenario 6)', async () => {
    const path = newPath()
    const [one, two] = [open(path), open(path)]
    const [first, second] = [await one.join('a'), await two.join('a')]
    expect(second.epoch).toBe(first.epoch + 1)
    await one.exchange(batch(first, 1, { entries: [entry({ hold: 60 })] }))
    const answer = applied(await two.exchange(batch(second, 1, { entries: [entry({ hold: 60 })] })))
    expect(answer.entries).toMatchObject([{ held: 40, others: 1, othersHeld: 60, pool: 0 }])
  })

  it('S1: store time never goes back, for any process, also after a close and a removal', async () => {
    const path = newPath()
    const [early, late] = [open(path, () => 1_000), open(path, () => 9_000)]
    const owner = await late.join('late')
    expect((await early.join('early')).time).toBe(9_000)
    await late.exchange(batch(owner, 1, { close: true }))
    await late.close()
    await early.close()
    expect((await early.join('early again')).time).toBe(9_000)
    let now = 9_000 + 8 * 86_400_000
    const muchLater = open(path, () => now)
    const last = await muchLater.join('much later')
    expect((await early.join('early')).time).toBe(now)
    // S10: nothing is removed within one lease lifetime after store time leapt.
    expect((await early.owners()).map((owner) => owner.label)).toContain('late')
    now += 10_001
    await muchLater.exchange(batch(last, 1))
    expect((await early.join('early')).time).toBe(now)
    expect((await early.owners()).map((owner) => owner.label)).not.toContain('late')
  })

  it('the durable hot path reads no row again: two updates and the data version between BEGIN and COMMIT', async () => {
    const seen: string[] = []
    const store = closing(sqlite(newPath(), { driver: tampered({ seen: (sql) => seen.push(sql) }), now: () => 5_000 }))
    const owner = await store.join('a')
    const takes = [{ need: [[0, 1]], n: 3 }] as const
    await store.exchange(batch(owner, 1, { entries: [entry()], takes }))
    seen.length = 0
    const answer = applied(await store.exchange(batch(owner, 2, { entries: [entry({ known: true })], takes })))
    expect(answer.granted).toEqual([3])
    expect(seen.map((sql) => sql.trim().split(' ', 1)[0])).toEqual(['BEGIN', 'PRAGMA', 'UPDATE', 'UPDATE', 'COMMIT'])
  })

  it('the value of a counter that this connection has written is not read again', async () => {
    const seen: string[] = []
    const store = closing(sqlite(newPath(), { driver: tampered({ seen: (sql) => seen.push(sql) }), now: () => 5_000 }))
    const owner = await store.join('a')
    await store.exchange(batch(owner, 1, { entries: [count('likes', 3)] }))
    seen.length = 0
    const answer = applied(await store.exchange(batch(owner, 2, { entries: [count('likes', 4)] })))
    expect(answer.entries).toEqual([{ kind: 'counter', value: 7, overflow: false }])
    expect(seen.filter((sql) => sql.includes('SELECT'))).toEqual([])
  })

  it('S7: what another connection has committed is read again', async () => {
    const path = newPath()
    const [one, two] = [open(path), open(path)]
    const [first, second] = [await one.join('a'), await two.join('b')]
    const take = (owner: Joined, seq: number) =>
      batch(owner, seq, { entries: [entry(), count('likes', 1)], takes: [{ need: [[0, 1]], n: 40 }] })
    const granted: number[] = []
    for (const seq of [1, 2, 3]) {
      for (const [store, owner] of [
        [one, first],
        [two, second],
      ] as const) {
        const answer = applied(await store.exchange(take(owner, seq)))
        granted.push(answer.granted[0] ?? 0)
        expect(answer.entries[1]).toEqual({ kind: 'counter', value: granted.length, overflow: false })
      }
    }
    expect(granted).toEqual([40, 40, 20, 0, 0, 0])
  })
})

describe('inspection', () => {
  it('L2: an inspection reads one snapshot while others write', async () => {
    const path = newPath()
    const store = open(path)
    const owner = await store.join('a')
    await store.exchange(batch(owner, 1, { entries: [entry({ hold: 10 }), count('c\u0000', 7)] }))
    const inspection = await openReadOnly(path, { driver: 'libsql' })
    expect(
      applied(await store.exchange(batch(owner, 2, { entries: [entry({ key: 'new' }), count('d', 1)] }))).kind,
    ).toBe('applied')

    expect(inspection.list({ limit: 10 }).rows.map(({ budget, leases }) => [budget.key, leases])).toEqual([
      ['seats', [{ key: 'seats', period: 0, epoch: owner.epoch, held: 10 }]],
    ])
    expect(inspection.owners()).toMatchObject([{ epoch: owner.epoch, seq: 1 }])
    expect(inspection.counters({ limit: 10 })).toEqual([{ key: 'c\u0000', value: 7 }])
    expect(inspection.counters({ after: 'c\u0000', limit: 10 })).toEqual([])
    inspection.close()
    inspection.close()
    expect(() => inspection.owners()).toThrow(expect.objectContaining(fault('store_closed')))
  })

  it('an inspection refuses a file that no engine has joined', async () => {
    const path = newPath()
    writeFileSync(path, '')
    await expect(openReadOnly(path, { driver: 'libsql' })).rejects.toMatchObject(fault('not_a_database'))
  })
})
