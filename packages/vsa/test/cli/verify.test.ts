import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inspect } from '../../src/cli/inspect.ts'
import { verify } from '../../src/cli/verify.ts'
import { open } from '../../src/index.ts'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { aFolder, aReservedStore, aStore, tamper } from './store-fixture.ts'

test('L2: every row of a store in use balances', async () => {
  const path = await aStore(aFolder())
  const { ok, json, text } = await verify(path)
  expect(ok).toBe(true)
  expect(json).toEqual({
    ok: true,
    store: path,
    rows: 2,
    minted: 1_000,
    used: 14,
    reserved: 0,
    pool: 946,
    burned: 0,
    leased: 40,
    faulty: [],
    unreadable: [],
    damage: [],
    stoppedBy: null,
  })
  expect(text).toContain('Every row adds up')
})

test.each([
  ["UPDATE budget SET used = used + 1 WHERE key = 'concert-43'", '1 units more than were minted'],
  ["UPDATE budget SET pool = pool - 3 WHERE key = 'concert-43'", '3 of the minted units are nowhere'],
  ["DELETE FROM lease WHERE key = 'concert-43'", '20 of the minted units are nowhere'],
])('L2: verify finds %s and names the row', async (sql, fault) => {
  const path = await aStore(aFolder())
  await tamper(path, sql)
  const { ok, json, text } = await verify(path)
  expect(ok).toBe(false)
  expect(json).toMatchObject({ ok: false, rows: 2, faulty: [{ key: 'concert-43', period: 0, faults: [fault] }] })
  expect(text).toMatch(/1 row does not add up/)
  expect(text).toContain('concert-43')
  expect(text).not.toContain('concert-42')
})

test('R2: verify finds a row whose reserved units are not those of its reservations, and reservations that cannot be read', async () => {
  const path = await aReservedStore(aFolder())
  expect(await verify(path)).toMatchObject({ ok: true, json: { reserved: 12, faulty: [], damage: [] } })
  expect((await verify(path)).text).toContain('minted = used + reserved + pool + burned + leased')
  await tamper(path, "UPDATE budget SET reserved = reserved + 1, pool = pool - 1 WHERE key = 'concert-43'")
  expect(await verify(path)).toMatchObject({
    ok: false,
    json: { faulty: [{ key: 'concert-43', faults: ['reserved is 6, and its reservations have 5'] }] },
  })
  await tamper(path, "UPDATE reservation SET lots = '?' WHERE id = 'both'")
  const { ok, json, text } = await verify(path)
  expect([ok, json]).toMatchObject([
    false,
    {
      faulty: [
        { key: 'concert-42', faults: ['reserved is 7, and its reservations have 3'] },
        { key: 'concert-43', faults: ['reserved is 6, and its reservations have 0'] },
      ],
      damage: ['the reservation "both" of "concert-42" cannot be read: the lots of a reservation are no JSON'],
    },
  ])
  expect(text).toContain('the reservation "both"')
})

test('a copy is read without a write: neither to the file nor beside it', async () => {
  const folder = aFolder()
  const path = join(folder, 'backup.db')
  copyFileSync(await aStore(aFolder()), path)
  const look = (): unknown => [
    readdirSync(folder),
    statSync(folder).mtimeMs,
    statSync(path).mtimeMs,
    readFileSync(path),
  ]
  const before = look()
  expect(await verify(path)).toMatchObject({ ok: true })
  await inspect(path, undefined, { rowsMax: 50, timeZone: 'UTC' })
  expect(look()).toEqual(before)
})

test('L2: a row that cannot be read is named, and the others are checked', async () => {
  const path = await aStore(aFolder())
  await tamper(
    path,
    "UPDATE budget SET used = 9223372036854775000 WHERE key = 'concert-42'; UPDATE budget SET used = 8 WHERE key = 'concert-43'",
  )
  const { ok, json, text } = await verify(path)
  expect(ok).toBe(false)
  expect(json).toMatchObject({
    rows: 1,
    faulty: [{ key: 'concert-43', leased: 20, faults: ['1 units more than were minted'] }],
    unreadable: [{ key: 'concert-42', period: 0, detail: expect.stringContaining('9223372036854775') as string }],
  })
  expect(text).toMatch(/1 row cannot be read, and is in no sum:\n.*\nconcert-42 /)
})

describe('a damaged file is a finding, also where its rows add up', () => {
  /** A closed store of one file, with some pages of each table. */
  async function aClosedStore(folder: string): Promise<string> {
    const path = join(folder, 'closed.db')
    const vsa = open({ store: sqlite(path, { thread: false }), label: 'ü'.repeat(40), onEvent: () => undefined })
    const budgets = Array.from({ length: 200 }, (_, index) =>
      vsa.budget(`${'ключ'.repeat(20)} ${index}`, { initial: 9 }),
    )
    await Promise.all(budgets.map((budget) => budget.admit(2)))
    vsa.counter('ü').add(1)
    await vsa.close()
    return path
  }
  test('an index that lacks a row', async () => {
    const path = await aClosedStore(aFolder())
    expect(await verify(path)).toMatchObject({ ok: true })
    await tamper(
      path,
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'keep_until IS NOT NULL', 'keep_until IS NULL') WHERE name = 'budget_kept'",
    )
    const { ok, json, text } = await verify(path)
    expect(ok).toBe(false)
    expect(json).toMatchObject({ ok: false, rows: 200, faulty: [], unreadable: [], stoppedBy: null })
    expect(json).toMatchObject({ damage: expect.arrayContaining([expect.stringContaining('budget_kept')]) as string[] })
    expect(text).toContain('The file is damaged: restore it from a backup.')
  })
  test('text that is no UTF-8, which would end the process', async () => {
    const path = await aClosedStore(aFolder())
    await tamper(path, "UPDATE owner SET label = CAST(x'61ff62' AS TEXT)")
    const { ok, json } = await verify(path)
    expect(ok).toBe(false)
    expect(json).toMatchObject({ damage: ["the label of 1 rows of owner is no text, as 'a\uFFFDb'"] })
    await expect(inspect(path, undefined, { rowsMax: 50, timeZone: 'UTC' })).rejects.toMatchObject({
      code: 'store_damaged',
    })
  })
  test.each([
    ['counter', 'UPDATE counter SET value = 9223372036854775000', 'the counters cannot be read: '],
    ['owner', "UPDATE owner SET outcome = 'nothing'", 'the owners cannot be read: '],
  ])('a %s that cannot be read', async (_table, sql, finding) => {
    const path = await aClosedStore(aFolder())
    await tamper(path, sql)
    const { ok, json } = await verify(path)
    expect(ok).toBe(false)
    expect(json).toMatchObject({ rows: 200, damage: [expect.stringContaining(finding) as string] })
  })
  test('overwritten bytes that the integrity check of SQLite finds, wherever they are', async () => {
    const folder = aFolder()
    const sound = readFileSync(await aClosedStore(folder))
    const path = join(folder, 'overwritten.db')
    const counts = { found: 0, passed: 0 }
    for (const at of placesIn(sound.length)) {
      const bytes = Buffer.from(sound)
      bytes.fill(0xd7, at, at + 200)
      writeFileSync(path, bytes)
      const isSound = await integrityOf(path)
      const { ok } = await verify(path)
      if (!isSound) expect(ok, `${at}`).toBe(false)
      if (isSound) counts.passed++
      else counts.found++
    }
    expect(counts.found).toBeGreaterThan(10)
  })

  /** Not in the header: a file without it is no database, which is another error. */
  function placesIn(length: number): readonly number[] {
    return Array.from({ length: 40 }, (_, index) => 100 + Math.floor((index * (length - 400)) / 40))
  }

  async function integrityOf(path: string): Promise<boolean> {
    try {
      const connection = (await loadDriver(undefined)).open(path)
      const rows = connection.prepare('SELECT CAST(integrity_check AS BLOB) FROM pragma_integrity_check').all([])
      connection.close()
      return rows.length === 1 && String(rows[0]?.[0]) === 'ok'
    } catch {
      return false
    }
  }
})

describe('a file that is not a store is an operating error', () => {
  test('a missing file is an error', async () => {
    await expect(verify(join(aFolder(), 'none.db'))).rejects.toMatchObject({ code: 'no_such_file' })
  })
  test('a text file is an error', async () => {
    const path = join(aFolder(), 'letter.txt')
    writeFileSync(path, 'Dear SQLite,\n'.repeat(100))
    await expect(verify(path)).rejects.toMatchObject({ code: 'not_a_database' })
  })
  test('a newer schema is an error', async () => {
    const path = await aStore(aFolder())
    await tamper(path, 'PRAGMA user_version = 99')
    await expect(verify(path)).rejects.toMatchObject({ code: 'schema_too_new' })
  })
})
