import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReservationPage } from '../../src/core/inspection.ts'
import type { Take } from '../../src/core/exchange.ts'
import { inspectPostgres } from '../../src/stores/postgres/inspect.ts'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { dropSchemas, newPool, newSchema, storeOn } from './postgres-fixture.ts'
import { applied, batch, count, entry } from './sqlite-fixture.ts'

const server = await postgresServer()
const pool = newPool('url' in server ? server.url : '')

afterAll(async () => {
  if ('url' in server) await dropSchemas(pool)
  await pool.end()
  if ('stop' in server) await server.stop()
})

function reserving(id: string, need: Take['need'], parts: Partial<Take> = {}): Take {
  return { need, n: 1, remember: { id, as: 'reservation', ttlMs: 0, onExpire: 'return' }, ...parts }
}

let schema = ''
beforeEach(() => {
  schema = newSchema()
})

/** Every reservation that an inspection reads, or those of one key. */
async function inspected(key?: string): Promise<ReservationPage & { readonly pages: number }> {
  const found: { rows: ReservationPage['rows'][number][]; unreadable: ReservationPage['unreadable'][number][] } = {
    rows: [],
    unreadable: [],
  }
  let pages = 0
  for await (const { rows, unreadable } of (await inspectPostgres(pool, schema)).reservationPages(key)) {
    found.rows.push(...rows)
    found.unreadable.push(...unreadable)
    pages += 1
  }
  return { ...found, pages }
}

describe.skipIf('reason' in server)('the rows of reservations on Postgres', () => {
  it('R1: keys and ids are kept as they are, also the longest', async () => {
    const store = storeOn(pool, { schema })
    const joined = await store.join('test')
    const texts = ["'", '\\', '"', '{"a"}', 'NULL', '\u0000\u0001', '\u{1f980}', '\\u0000', `'); drop schema x; --`]
    const longest = Array.from({ length: 853 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000))).join(
      '',
    )
    const keys = [...texts, longest]
    const ids = [...texts, longest.slice(0, 256)]
    const entries = keys.map((key) => entry({ key }))
    const takes = ids.map((id, at) => reserving(id, [[at, 3]]))
    expect(applied(await store.exchange(batch(joined, 1, { entries, takes }))).granted).toEqual(keys.map(() => 1))
    const { rows } = await inspected()
    expect(rows.map(({ key, id }) => `${key} ${id}`).toSorted()).toEqual(
      keys.map((key, at) => `${key} ${ids[at]}`).toSorted(),
    )
    for (const key of keys) expect((await inspected(key)).rows.map((row) => row.key)).toEqual([key])
    const changes = keys.map((key, at) => ({ op: 'settle', key, id: ids[at] ?? '', units: 1 }) as const)
    const settled = applied(await store.exchange(batch(joined, 2, { changes }))).credits?.changes
    expect(settled).toEqual(keys.map(() => ({ kind: 'settled', settled: 1, uncovered: 0, repeated: false })))
    expect((await store.list({ limit: 99 })).rows.map(({ budget }) => budget.used)).toEqual(keys.map(() => 1))
  })

  it('R1, V1: a request with several budgets and a counter is one row, found by the key of each budget', async () => {
    const store = storeOn(pool, { schema })
    const joined = await store.join('test')
    const entries = [entry({ key: 'a' }), entry({ key: 'b' }), count('over', 0)]
    const need = [0, 1, 2].map((at) => [at, 150] as const)
    const sent = batch(joined, 1, { entries, takes: [reserving('r', need, { first: true })] })
    expect(applied(await store.exchange(sent)).credits?.takes[0]).toMatchObject({ charged: [100, 50, 0] })
    for (const key of [undefined, 'a', 'b']) expect((await inspected(key)).rows).toMatchObject([{ key: 'a', id: 'r' }])
    expect((await inspected('over')).rows).toEqual([])
    const [settled] =
      applied(await store.exchange(batch(joined, 2, { changes: [{ op: 'settle', key: 'b', id: 'r', units: 230 }] })))
        .credits?.changes ?? []
    expect(settled).toMatchObject({ kind: 'settled', settled: 230, uncovered: 0 })
    expect((await store.list({ limit: 9 })).rows.map(({ budget }) => budget.used)).toEqual([100, 100])
    expect((await store.exchange(batch(joined, 3, { entries: [count('over', 0)] }))).kind).toBe('applied')
    expect((await pool.query(`select value::int from ${schema}.counter`)).rows).toEqual([{ value: 30 }])
  })

  it('S6: a reservation that cannot be read is answered damaged and is named, and the others go on', async () => {
    const store = storeOn(pool, { schema, upkeepEveryMs: 0 })
    const joined = await store.join('test')
    const entries = [entry({ key: 'a' }), entry({ key: 'b' })]
    const takes = [
      reserving('r', [
        [0, 3],
        [1, 3],
      ]),
      reserving('s', [[0, 4]]),
    ]
    await store.exchange(batch(joined, 1, { entries, takes }))
    await pool.query(
      `update ${schema}.reservation set lots = replace(lots, '"charged":3', '"charged":-3') where id = 'r'`,
    )
    const changes = [{ op: 'settle', key: 'b', id: 'r', units: 1 }] as const
    const answer = applied(await store.exchange(batch(joined, 2, { entries, changes, takes })))
    expect(answer.credits).toMatchObject({
      changes: [
        { kind: 'damaged', detail: expect.stringContaining('the charged of a reservation cannot be -3') as unknown },
      ],
      takes: { 0: { kind: 'damaged' }, 1: { kind: 'remembered', state: 'expired', repeated: true } },
    })
    expect(answer.entries).toMatchObject([
      { reserved: 3, pool: 97 },
      { reserved: 3, pool: 97 },
    ])
    const { rows, unreadable } = await inspected('b')
    expect(rows).toEqual([])
    expect(unreadable).toMatchObject([{ key: 'a', id: 'r' }])
    expect((await inspected()).rows).toMatchObject([{ key: 'a', id: 's' }])
  })

  it('an inspection reads every reservation once, page by page', async () => {
    await storeOn(pool, { schema }).join('test')
    await pool.query(`insert into ${schema}.reservation
      select sha256(('row ' || n)::bytea), null, 'row', n::text, 'reservation', '', 'return',
        '[{"units":1,"uncovered":0,"state":"open","expiresAt":1,"keepUntil":null,"sources":[{"key":"row","period":0,"charged":1,"refunded":null,"resets":0}]}]',
        1, '{row}', '{0}' from generate_series(1, 2500) n`)
    for (const key of [undefined, 'row']) {
      const { rows, pages } = await inspected(key)
      expect([new Set(rows.map(({ id }) => id)).size, rows.length, pages]).toEqual([2_500, 2_500, 3])
    }
  })
})
