import { describe, expect, it } from 'vitest'
import type { AppliedAnswer, Batch, Take } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { openReadOnly } from '../../src/stores/sqlite/inspect.ts'
import { applied, batch, closing, entry, newPath, tampered } from './sqlite-fixture.ts'

const HOUR_MS = 3_600_000

function reserving(id: string, ttlMs = HOUR_MS, units = 2): Take {
  return { need: [[0, units]], n: 1, remember: { id, as: 'reservation', ttlMs, onExpire: 'return' } }
}

/** One owner of a store, which counts its batches. */
class Owner {
  readonly store: Store
  readonly #joined: Joined
  #seq = 0

  constructor(store: Store, joined: Joined) {
    this.store = store
    this.#joined = joined
  }

  static async on(store: Store): Promise<Owner> {
    return new Owner(store, await store.join('test'))
  }

  async apply(parts: Partial<Batch>): Promise<AppliedAnswer> {
    this.#seq += 1
    return applied(await this.store.exchange(batch(this.#joined, this.#seq, parts)))
  }
}

async function changed(path: string, statement: string): Promise<void> {
  const connection = (await loadDriver('libsql')).open(path)
  connection.exec(statement)
  connection.close()
}

const KNOWN = [entry({ known: true })]

describe('reservations on SQLite', () => {
  it('L7: a batch that names none runs no statement about reservations', async () => {
    const seen: string[] = []
    const driver = tampered({ seen: (text) => seen.push(text) })
    const owner = await Owner.on(closing(sqlite(newPath(), { thread: false, driver, upkeepEveryMs: HOUR_MS })))
    await owner.apply({ entries: [entry()] })
    seen.length = 0
    await owner.apply({ entries: [entry({ hold: 2 })], takes: [{ need: [[0, 1]], n: 3 }] })
    expect(seen.filter((text) => text.includes('reservation'))).toEqual([])
    expect(seen.filter((text) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(text)).length).toBeLessThanOrEqual(4)
    // One for each name, one to write each, and none for its row, which is known from before.
    seen.length = 0
    await owner.apply({ entries: KNOWN, takes: [reserving('r')] })
    expect(seen.filter((text) => text.includes('reservation')).length).toBe(2)
  })

  it('L7, R4: what this process has made is settled without a read, and what another one has settled is read', async () => {
    const seen: string[] = []
    const driver = tampered({ seen: (text) => seen.push(text) })
    const [path, upkeepEveryMs] = [newPath(), HOUR_MS]
    const one = await Owner.on(closing(sqlite(path, { thread: false, driver, upkeepEveryMs })))
    await one.apply({ entries: [entry()], takes: [reserving('r'), reserving('s')] })
    const settle = (id: string, units: number): Partial<Batch> => ({
      changes: [{ op: 'settle', key: 'seats', id, units }],
    })
    seen.length = 0
    expect((await one.apply(settle('r', 1))).credits?.changes).toMatchObject([{ settled: 1, repeated: false }])
    expect(seen.filter((text) => text.includes('FROM json_each'))).toEqual([])
    const other = await Owner.on(closing(sqlite(path, { thread: false, driver: 'libsql', upkeepEveryMs })))
    await other.apply(settle('s', 2))
    expect((await one.apply(settle('s', 1))).credits?.changes).toMatchObject([{ settled: 2, repeated: true }])
    expect(seen.filter((text) => text.includes('FROM json_each')).length).toBe(1)
  })

  it('R4, S3: rows that no entry names are known afterwards as they were left', async () => {
    const owner = await Owner.on(closing(sqlite(newPath(), { thread: false, driver: 'libsql' })))
    await owner.apply({ entries: [entry(), { kind: 'counter', key: 'c', add: 0 }] })
    const first: Take = { ...reserving('w', HOUR_MS, 103), first: true, need: [[0, 103] as const, [1, 103] as const] }
    const known = [entry({ known: true }), { kind: 'counter', key: 'c', add: 0 } as const]
    expect((await owner.apply({ entries: known, takes: [first] })).entries).toMatchObject([
      { reserved: 100, pool: 0 },
      { value: 3 },
    ])
    await owner.apply({ changes: [{ op: 'settle', key: 'seats', id: 'w', units: 40 }] })
    expect((await owner.apply({ entries: known })).entries).toMatchObject([{ used: 40, pool: 60 }, { value: 0 }])
  })

  it('S6: one that is damaged is answered so where it is named, and stops no other', async () => {
    const path = newPath()
    let now = 1_000_000
    const store = closing(sqlite(path, { thread: false, driver: 'libsql', now: () => now, leaseTtlMs: 86_400_000 }))
    const owner = await Owner.on(store)
    await owner.apply({ entries: [entry()], takes: [reserving('bad', 500), reserving('good', 500), reserving('late')] })
    await changed(path, `UPDATE reservation SET lots = '[{"units":2}]' WHERE id = 'bad'`)
    const settle = (id: string): NonNullable<Batch['changes']>[number] => ({ op: 'settle', key: 'seats', id, units: 1 })
    const answer = await owner.apply({
      entries: KNOWN,
      takes: [reserving('bad')],
      changes: [settle('bad'), settle('late')],
    })
    const damaged = {
      kind: 'damaged',
      detail: expect.stringContaining('the reservation "bad" of "seats" cannot be read') as string,
    }
    expect(answer.credits).toEqual({
      takes: { 0: damaged },
      changes: [damaged, { kind: 'settled', settled: 1, uncovered: 0, repeated: false }],
    })
    now += 1_000
    expect((await owner.apply({ entries: KNOWN })).entries).toMatchObject([{ used: 1, reserved: 2, pool: 97 }])
    // It stays due, and is not looked for all the time.
    const joined = await store.join('other')
    expect(joined.upkeepDueInMs).toBeGreaterThanOrEqual(1_000)
    const inspection = await openReadOnly(path, { driver: 'libsql' })
    const page = inspection.reservations({ limit: 9 })
    expect(page.rows.map(({ id }) => id)).toEqual(['good', 'late'])
    expect(page.unreadable).toMatchObject([{ key: 'seats', id: 'bad' }])
    inspection.close()
  })

  it('S6: one that is kept under the key of another budget is damaged', async () => {
    const path = newPath()
    const owner = await Owner.on(closing(sqlite(path, { thread: false, driver: 'libsql' })))
    await owner.apply({ entries: [entry()], takes: [reserving('r')] })
    await changed(path, `UPDATE reservation SET key = 'other'`)
    const answer = await owner.apply({ changes: [{ op: 'settle', key: 'other', id: 'r', units: 1 }] })
    expect(answer.credits?.changes).toMatchObject([{ kind: 'damaged' }])
  })

  it('R3, S8: one upkeep ends 50 reservations, and the next one the others', async () => {
    let now = 1_000_000
    const store = closing(
      sqlite(newPath(), { thread: false, driver: 'libsql', now: () => now, leaseTtlMs: 86_400_000 }),
    )
    const owner = await Owner.on(store)
    const entries = [
      entry({ policy: { kind: 'initial', limit: 9_000, burnMax: 5, version: 1, endsAt: null, keepUntil: null } }),
    ]
    await owner.apply({ entries, takes: Array.from({ length: 75 }, (_, at) => reserving(`r${at}`, 100)) })
    now += 200
    const reserved: (number | undefined)[] = []
    for (let times = 0; times < 3; times += 1) {
      await owner.apply({})
      reserved.push((await store.list({ limit: 1 })).rows[0]?.budget.reserved)
    }
    expect(reserved).toEqual([50, 0, 0])
  })

  it('R1, R7: a request of several budgets is listed once, and under each of its keys', async () => {
    const path = newPath()
    const owner = await Owner.on(closing(sqlite(path, { thread: false, driver: 'libsql' })))
    const entries = ['a', '\0b', 'c'].map((key) => entry({ key }))
    const remember = { as: 'admission', ttlMs: 0, onExpire: 'return' } as const
    const all = entries.map((_, at) => [at, 1] as const)
    const takes = [
      { need: all, n: 1, remember: { ...remember, id: 'z' } },
      { need: all.slice(1), n: 1, remember: { ...remember, id: 'y' } },
      { need: all.slice(1, 2), n: 1, remember: { ...remember, id: 'x' } },
    ]
    await owner.apply({ entries, takes })
    const inspection = await openReadOnly(path, { driver: 'libsql' })
    const idsOf = (key?: string): readonly string[] => {
      const ids: string[] = []
      let after: { key: string; id: string } | undefined
      do {
        const page = inspection.reservations({ ...(key !== undefined && { key }), ...(after && { after }), limit: 1 })
        ids.push(...page.rows.map(({ id }) => id))
        after = page.last
      } while (after !== undefined)
      return ids
    }
    expect([idsOf(), idsOf('a'), idsOf('\0b'), idsOf('c'), idsOf('d')]).toEqual([
      ['x', 'y', 'z'],
      ['z'],
      ['x', 'y', 'z'],
      ['y', 'z'],
      [],
    ])
    inspection.close()
  })

  it('P6, S6: a key with more reservations that cannot be read than one deletion looks at is told of, and not looked at for ever', async () => {
    const path = newPath()
    const owner = await Owner.on(closing(sqlite(path, { thread: false, driver: 'libsql' })))
    const ids = Array.from({ length: 101 }, (_, at) => `${at}`)
    await owner.apply({
      entries: [entry({ mint: { id: 'm', units: 50 } })],
      takes: ids.map((id) => reserving(id, HOUR_MS, 1)),
    })
    await changed(path, "UPDATE reservation SET lots = 'nothing'")
    await expect(owner.store.delete?.('seats')).rejects.toMatchObject({ code: 'store_damaged', applied: 'no' })
  })
})
