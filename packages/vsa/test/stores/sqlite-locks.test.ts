import { closeSync, copyFileSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
// The built package: a thread needs JavaScript.
import { sqlite } from 'vsa/sqlite'
import { sqlite as fromSources } from '../../src/stores/sqlite/index.ts'
import { SqliteAdapter } from '../../src/stores/sqlite/adapter.ts'
import { FileGuard } from '../../src/stores/sqlite/client/file-guard.ts'
import { DATABASE_LOCK, findLock } from '../../src/stores/sqlite/client/held-locks.ts'
import { child } from './sqlite-children.ts'
import type { Joined } from '../../src/core/store.ts'
import { applied, batch, closing, entry, fault, initial, newPath, tampered } from './sqlite-fixture.ts'

const TEN = { ...initial, limit: 10 }
const seat = entry({ policy: TEN })
const again = entry({ known: true })

/** libsql, whose SQLite does not look at the locks of others before it deletes the log. */
const open = (path: string) => closing(sqlite(path, { driver: 'libsql' }))
const taking = (joined: Joined, seq: number, entries = [seat]) =>
  batch(joined, seq, { entries, takes: [{ need: [[0, 1]], n: 1 }] })

/** Another process that opens the store, takes all it can, and closes. Or only looks. */
async function visit(path: string, takes: boolean): Promise<number> {
  const other = child(
    path,
    `const store = sqlite(path, { driver: 'libsql' })
    let granted = 0
    if (${takes}) {
      const { epoch, token, incarnation } = await store.join('child')
      const entries = [${JSON.stringify(again)}]
      const answer = await store.exchange({ epoch, token, incarnation, seq: 1, entries, takes: [{ need: [[0, 1]], n: 20 }], close: true })
      granted = answer.granted[0]
    } else await store.owners()
    await store.close()
    console.log(granted)`,
  )
  const line = await other.line()
  await other.ended
  return Number(line)
}

/** What `fs.copyFileSync(path, backup)` does to the locks of this process. */
const touch = (path: string): void => closeSync(openSync(path, 'r'))

describe('L1: this process reads the file itself', () => {
  beforeEach(({ skip }) => skip(process.platform !== 'linux', 'only Linux shows locks'))

  it('L1: another process deletes the log: nothing is granted any more, and the rest goes to others, to the unit', async () => {
    const path = newPath()
    const store = open(path)
    const joined = await store.join('a')
    for (const seq of [1, 2, 3]) expect(applied(await store.exchange(taking(joined, seq))).granted).toEqual([1])
    copyFileSync(path, `${path}-backup`)
    await visit(path, false)
    const refused = fault('database_replaced', { message: expect.stringContaining('deleted or replaced') as string })
    await expect(store.exchange(taking(joined, 4, [again]))).rejects.toMatchObject(refused)
    expect(await visit(path, true)).toBe(7)
    await expect(store.exchange(taking(joined, 4, [again]))).rejects.toMatchObject(refused)
  })

  it('L1: no other process came: the file is opened again, and the next one leaves the log alone', async () => {
    const path = newPath()
    const store = open(path)
    const joined = await store.join('a')
    await store.exchange(taking(joined, 1))
    copyFileSync(path, `${path}-backup`)
    const lost = fault('store_lost', { transient: true, message: expect.stringContaining('VACUUM INTO') as string })
    // libsql closes a file late, so the thread ends, and the call is sent again.
    await expect(store.exchange(taking(joined, 2, [again]))).rejects.toMatchObject(lost)
    expect(applied(await store.exchange(taking(joined, 2, [again]))).granted).toEqual([1])
    await visit(path, false)
    expect(applied(await store.exchange(taking(joined, 3, [again]))).granted).toEqual([1])
    expect(await visit(path, true)).toBe(7)
  })

  it('L1: the locks are lost during a commit: its outcome is unknown', async () => {
    const path = newPath()
    let onCommit = (): void => undefined
    const driver = tampered({
      exec: (sql, run) => {
        const result = run()
        if (sql === 'COMMIT') onCommit()
        return result
      },
    })
    const store = closing(fromSources(path, { driver }))
    const joined = await store.join('a')
    onCommit = () => touch(path)
    await expect(store.exchange(taking(joined, 1))).rejects.toMatchObject(
      fault('store_lost', { transient: true, applied: 'unknown' }),
    )
  })

  it.each(['', '-shm'])(
    'L1: the locks of books.db%s are lost: the call itself opens the file again',
    async (suffix) => {
      const path = newPath()
      const now = { ms: 1_000_000 }
      let opened = 0
      const driver = tampered({ opened: () => (opened += 1) })
      const store = closing(fromSources(path, { driver, now: () => now.ms }))
      const joined = await store.join('a')
      touch(path + suffix)
      now.ms += 100
      // In vain: libsql keeps the first connection until its statements are collected.
      await expect(store.exchange(taking(joined, 1))).rejects.toMatchObject(fault('store_lost', { transient: true }))
      expect(opened).toBe(2)
    },
  )

  it.each(['', '-wal', '-shm'])(
    'L1: books.db%s is deleted after the locks were lost: replaced, not only lost',
    async (suffix) => {
      const path = newPath()
      const store = closing(fromSources(path, { driver: tampered({}), now: () => 1_000_000 }))
      const joined = await store.join('a')
      touch(path)
      renameSync(path + suffix, `${path}-away`)
      await expect(store.exchange(taking(joined, 1))).rejects.toMatchObject(fault('database_replaced'))
    },
  )

  it('L1: the locks that were lost are known, until the file is open again with its locks', async () => {
    const path = newPath()
    const now = { ms: 1_000_000 }
    const settings = { path, busyTimeoutMs: 50, leaseTtlMs: 10_000 }
    const adapter = new SqliteAdapter(tampered({}), settings, () => now.ms)
    onTestFinished(() => adapter.close())
    await adapter.ready()
    expect(adapter.owners()).toEqual([])
    expect(adapter.hasLostLocks).toBe(false)
    touch(`${path}-shm`)
    now.ms += 100
    expect(() => adapter.owners()).toThrow(expect.objectContaining(fault('store_lost', { transient: true })))
    expect(adapter.hasLostLocks).toBe(true)
  })

  it('a lock is seen as long as it is held, also through another descriptor', async () => {
    const path = newPath()
    await closing(fromSources(path, { thread: false, driver: 'libsql' })).join('a')
    const lock = findLock(path, DATABASE_LOCK)
    expect(lock?.isHeld()).toBe(true)
    touch(`${path}-wal`)
    expect(lock?.isHeld()).toBe(true)
    touch(path)
    expect(lock?.isHeld()).toBe(false)
    lock?.close()
    expect(findLock(path, DATABASE_LOCK)).toBeUndefined()
    expect(findLock(path, DATABASE_LOCK, '/proc/none')).toBeUndefined()
  })
})

describe('L1: a file beside the database is deleted or replaced', () => {
  it.each(['-wal', '-shm'])('L1: %s: calls are refused', async (suffix) => {
    const path = newPath()
    const now = { ms: 1_000_000 }
    let opened = 0
    const driver = tampered({ opened: () => (opened += 1) })
    const store = closing(fromSources(path, { driver, now: () => now.ms }))
    const joined = await store.join('a')
    renameSync(path + suffix, `${path}-away`)
    now.ms += 100
    await expect(store.exchange(taking(joined, 1))).rejects.toMatchObject(fault('database_replaced'))
    await expect(store.exchange(taking(joined, 1))).rejects.toMatchObject(fault('database_replaced'))
    writeFileSync(path + suffix, readFileSync(`${path}-away`))
    await expect(store.exchange(taking(joined, 1))).rejects.toMatchObject(fault('database_replaced'))
    expect(opened).toBe(1)
  })

  it('L1: where locks cannot be seen, the log is looked at after each commit', () => {
    const path = newPath()
    for (const suffix of ['', '-wal', '-shm']) writeFileSync(path + suffix, '')
    const guard = new FileGuard(path, path, '/proc/none')
    expect(guard.locks).toBe('unseen')
    guard.assertShared('unknown')
    // As SQLite has it open, its number is not given to another file.
    const log = openSync(`${path}-wal`, 'r')
    rmSync(`${path}-wal`)
    const replaced = fault('database_replaced', { applied: 'unknown' })
    expect(() => guard.assertShared('unknown')).toThrow(expect.objectContaining(replaced))
    writeFileSync(`${path}-wal`, '')
    expect(() => guard.assertShared('unknown')).toThrow(expect.objectContaining(replaced))
    guard.close()
    closeSync(log)
  })
})
