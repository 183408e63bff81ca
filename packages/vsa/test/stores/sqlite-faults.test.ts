import Database from 'libsql'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { openReadOnly } from '../../src/stores/sqlite/inspect.ts'
import { applied, batch, closing, count, entry, fault, newPath, tampered, type Tampering } from './sqlite-fixture.ts'

const open = (path: string) => closing(sqlite(path, { thread: false, driver: 'libsql', busyTimeoutMs: 50 }))
const openTampered = (path: string, tampering: Tampering) => closing(sqlite(path, { driver: tampered(tampering) }))

function change(path: string, sql: string): void {
  const database = new Database(path)
  database.exec(sql)
  database.close()
}

describe('arguments', () => {
  it.each([
    ['', 'path'],
    [':memory:', 'path'],
    ['file:books.db', 'path'],
    ['https://example.test/books', 'path'],
    ['a\u0000b', 'path'],
  ])('refuses the path %j', (path, name) => {
    expect(() => sqlite(path)).toThrow(new RegExp(`^${name} must`))
  })

  it.each([
    [{ leaseTtlMs: 0 }, RangeError, 'leaseTtlMs'],
    [{ leaseTtlMs: 86_400_001 }, RangeError, 'leaseTtlMs'],
    [{ busyTimeoutMs: -1 }, RangeError, 'busyTimeoutMs'],
    [{ busyTimeoutMs: 600_001 }, RangeError, 'busyTimeoutMs'],
    [{ now: () => 0 }, TypeError, 'now'],
    [{ driver: Database, thread: true }, TypeError, 'driver'],
  ] as const)('refuses the options %j', (options, kind, name) => {
    const call = (): unknown => sqlite('books.db', options)
    expect(call).toThrow(kind)
    expect(call).toThrow(new RegExp(`^options\\.${name} must`))
  })

  it('names the drivers where it refuses another one', () => {
    const call = (): unknown => sqlite('books.db', { driver: 'sqlite3' as 'libsql' })
    expect(call).toThrow(TypeError)
    expect(call).toThrow(
      'options.driver must be one of node:sqlite, libsql, better-sqlite3, or a Database class, got "sqlite3"',
    )
  })

  it('accepts the smallest and the largest value of each option', () => {
    const bounds = [
      { leaseTtlMs: 1, busyTimeoutMs: 0 },
      { leaseTtlMs: 86_400_000, busyTimeoutMs: 600_000 },
    ]
    for (const options of bounds) expect(sqlite('books.db', options).capabilities.batchMax).toBe(1_000)
  })
})

describe('a file that cannot be opened', () => {
  it('names the missing folder, and does not create it', async () => {
    const path = `${newPath()}/sub/books.db`
    await expect(open(path).join('a')).rejects.toMatchObject(fault('folder_missing'))
    await expect(open(path).join('a')).rejects.toThrow(dirname(path))
    expect(() => statSync(dirname(path))).toThrow('ENOENT')
  })

  it('refuses a folder', async () => {
    await expect(open(dirname(newPath())).join('a')).rejects.toMatchObject(fault('not_a_database'))
  })

  it('refuses a file that is not a database, and does not change it', async () => {
    const path = newPath()
    writeFileSync(path, 'dear diary '.repeat(1_000))
    const before = readFileSync(path)
    await expect(open(path).join('a')).rejects.toMatchObject(fault('not_a_database'))
    await expect(openReadOnly(path)).rejects.toMatchObject(fault('not_a_database'))
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it.each(['CREATE TABLE diary (day TEXT)', 'PRAGMA user_version = 3', 'PRAGMA application_id = 7'])(
    'refuses the database of another application, and does not change it: %s',
    async (sql) => {
      const path = newPath()
      change(path, sql)
      const before = readFileSync(path)
      await expect(open(path).join('a')).rejects.toMatchObject(fault('not_a_database'))
      await expect(openReadOnly(path)).rejects.toMatchObject(fault('not_a_database'))
      expect(readFileSync(path).equals(before)).toBe(true)
    },
  )

  it('refuses a newer schema, and names what to upgrade', async () => {
    const path = newPath()
    const store = open(path)
    await store.join('a')
    await store.close()
    change(path, 'PRAGMA user_version = 99')
    await expect(open(path).join('a')).rejects.toMatchObject(fault('schema_too_new'))
    await expect(open(path).join('a')).rejects.toThrow('Upgrade vsa')
    await expect(openReadOnly(path)).rejects.toMatchObject(fault('schema_too_new'))
  })

  it.each([0, -1])('refuses schema %d, which no version has written', async (version) => {
    const path = newPath()
    const store = open(path)
    await store.join('a')
    await store.close()
    change(path, `PRAGMA user_version = ${version}`)
    await expect(open(path).join('a')).rejects.toThrow(`no schema ${version} was ever written`)
  })

  it('accepts an empty file', async () => {
    const path = newPath()
    writeFileSync(path, '')
    await expect(open(path).join('a')).resolves.toMatchObject({ epoch: 1 })
  })

  it('refuses a file that SQLite may not write', async () => {
    const path = newPath()
    const store = open(path)
    await store.join('a')
    await store.close()
    // The header's write version says "newer than you": read only for every user, root too.
    const [bytes, other] = [readFileSync(path), newPath()]
    bytes[18] = 3
    writeFileSync(other, bytes)
    await expect(open(other).join('a')).rejects.toMatchObject(fault('read_only'))
  })

  it('refuses a database without durable commits', async () => {
    const tampering: Tampering = { exec: (sql, run) => (sql.includes('synchronous') ? undefined : run()) }
    const opened = (database: { exec(sql: string): unknown }): void => void database.exec('PRAGMA synchronous = OFF')
    await expect(openTampered(newPath(), { ...tampering, opened }).join('a')).rejects.toThrow('synchronous=FULL')
    const noFullSync: Tampering = { exec: (sql, run) => (sql.includes('fullfsync') ? undefined : run()) }
    await expect(openTampered(newPath(), noFullSync).join('a')).rejects.toThrow('fullfsync=ON')
    const noWal: Tampering = { exec: (sql, run) => (sql.includes('journal_mode') ? undefined : run()) }
    await expect(openTampered(newPath(), noWal).join('a')).rejects.toThrow('journal_mode=WAL')
  })

  it('names what to install when no client is found', async () => {
    const store = closing(sqlite(newPath(), { thread: false, driver: 'better-sqlite3' }))
    await expect(store.join('a')).rejects.toMatchObject(fault('driver_missing'))
    await expect(store.join('a')).rejects.toThrow('npm install libsql')
  })

  it('names the missing file on a read-only open, and does not create it', async () => {
    const path = newPath()
    await expect(openReadOnly(path)).rejects.toThrow(`there is no file ${path}`)
    mkdirSync(path)
    await expect(openReadOnly(path)).rejects.toMatchObject(fault('not_a_database'))
  })
})

describe('a transaction that fails', () => {
  it('a write lock held for too long: store_busy, surely not applied, and later calls succeed', async () => {
    const path = newPath()
    const store = open(path)
    const owner = await store.join('a')
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    const exchange = () => store.exchange(batch(owner, 1, { entries: [count('c', 1)] }))
    await expect(exchange()).rejects.toMatchObject(fault('store_busy', { transient: true }))
    other.exec('ROLLBACK')
    expect(applied(await exchange()).entries).toMatchObject([{ value: 1 }])
  })

  it('a full disk: rolled back, surely not applied, and later calls succeed once there is room', async () => {
    let pages: { exec(sql: string): unknown } | undefined
    const store = openTampered(newPath(), { opened: (database) => void (pages = database) })
    const owner = await store.join('a')
    pages?.exec('PRAGMA max_page_count = 20')
    const entries = Array.from({ length: 1_000 }, (_, index) => entry({ key: 'x'.repeat(100) + index, hold: 1 }))
    await expect(store.exchange(batch(owner, 1, { entries }))).rejects.toMatchObject(fault('disk_full'))
    expect((await store.list({ limit: 10 })).rows).toEqual([])
    pages?.exec('PRAGMA max_page_count = 100000')
    expect((await store.exchange(batch(owner, 1, { entries }))).kind).toBe('applied')
  })

  it.each(['before', 'after'])(
    'L3: a COMMIT that fails %s it was applied has an unknown outcome, and a repeat of the batch settles it',
    async (when) => {
      let failing = false
      const broken = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' })
      const store = openTampered(newPath(), {
        exec: (sql, run) => {
          if (sql !== 'COMMIT' || !failing) return run()
          if (when === 'after') run()
          failing = false
          throw broken
        },
      })
      const owner = await store.join('a')
      failing = true
      const exchange = () => store.exchange(batch(owner, 1, { entries: [count('c', 1)] }))
      const doubtful = fault('store_failed', { applied: 'unknown', transient: true })
      await expect(exchange()).rejects.toMatchObject(doubtful)
      const answer = await exchange()
      expect(answer).toMatchObject({ kind: when === 'after' ? 'replayed' : 'applied', entries: [{ value: 1 }] })
    },
  )

  it('a value that could not be read back is never written', async () => {
    const store = open(newPath())
    const owner = await store.join('a')
    const policy = { kind: 'window', limit: 1, burnMax: 1, version: 1, endsAt: 4e12, keepUntil: 4.5e15 + 0.5 } as const
    const entries = [count('c', 1), entry({ period: 1e12, policy })]
    await expect(store.exchange(batch(owner, 1, { entries }))).rejects.toThrow('safe integer')
    expect(applied(await store.exchange(batch(owner, 1, { entries: [count('c', 0)] }))).entries).toMatchObject([
      { value: 0 },
    ])
  })
})

describe('a file that is deleted or replaced', () => {
  const now = { ms: 1_000_000 }
  const openAt = (path: string) => closing(sqlite(path, { thread: false, driver: 'libsql', now: () => now.ms }))

  it('L1: calls are refused until `close`, and no fresh budget is created', async () => {
    const path = newPath()
    const store = openAt(path)
    const owner = await store.join('a')
    renameSync(path, `${path}.away`)
    now.ms += 100
    const exchange = () => store.exchange(batch(owner, 1))
    await expect(exchange()).rejects.toMatchObject(fault('database_replaced'))
    await expect(exchange()).rejects.toMatchObject(fault('database_replaced'))
    await expect(store.join('a')).rejects.toMatchObject(fault('database_replaced'))
    expect(() => statSync(path)).toThrow('ENOENT')

    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
    const another = openAt(path)
    await another.join('b')
    await expect(exchange()).rejects.toMatchObject(fault('database_replaced'))
    await store.close()
    await expect(exchange()).rejects.toMatchObject(fault('database_replaced'))
    await expect(store.join('a')).resolves.toMatchObject({ epoch: 2 })
  })

  it('an exchange creates no file', async () => {
    const path = newPath()
    await expect(openAt(path).exchange(batch({ epoch: 1, token: 't', incarnation: 'i' }, 1))).rejects.toMatchObject(
      fault('database_replaced'),
    )
    expect(() => statSync(path)).toThrow('ENOENT')
  })
})
