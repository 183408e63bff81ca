import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { verify } from '../../src/cli/verify.ts'
import { aFolder, aStore, tamper } from './store-fixture.ts'

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
    pool: 946,
    burned: 0,
    held: 40,
    faulty: [],
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
