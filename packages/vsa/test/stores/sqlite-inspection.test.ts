import { chmodSync, copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { openReadOnly, type Inspection } from '../../src/stores/sqlite/inspect.ts'
import { child } from './sqlite-children.ts'
import { batch, closing, count, entry, fault, newPath } from './sqlite-fixture.ts'

const PAGE_BYTES = 4_096
const ROWS = [[['seats', 90, 1]], 1, [{ key: 'c', value: 7 }]]

function rowsOf(inspection: Inspection): unknown {
  const { rows } = inspection.list({ limit: 10 })
  const budgets = rows.map(({ budget, leases }) => [budget.key, budget.pool, leases.length])
  return [budgets, inspection.owners().length, inspection.counters({ limit: 10 })]
}

/** A store in use, with {@link ROWS}. All of it is in the log. */
async function inUse(): Promise<string> {
  const path = newPath()
  const store = closing(sqlite(path, { thread: false }))
  await store.exchange(batch(await store.join('a'), 1, { entries: [entry({ hold: 10 }), count('c', 7)] }))
  return path
}

/** A backup: the log goes into the file when the store is closed. */
async function backup(): Promise<string> {
  const path = newPath('backup 1%.db')
  const store = sqlite(path, { thread: false })
  await store.exchange(batch(await store.join('a'), 1, { entries: [entry({ hold: 10 }), count('c', 7)] }))
  await store.close()
  const copy = newPath('backup 2?.db')
  copyFileSync(path, copy)
  return copy
}

/** A backup of a store in use, with its log. */
async function backupWithLog(): Promise<string> {
  const [path, copy] = [await inUse(), newPath()]
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, copy + suffix)
  return copy
}

/** Where the copies go during this test. */
function temporaryFolder(): string {
  const folder = dirname(newPath())
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  return folder
}

function bytesBeside(path: string): Readonly<Record<string, string>> {
  const folder = dirname(path)
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  )
}

describe('an inspection writes nothing', () => {
  it.each([
    ['a backup', backup],
    ['a backup with its log', backupWithLog],
  ])('%s: no file is created, changed or removed, neither meanwhile nor afterwards', async (_, make) => {
    const path = await make()
    const before = bytesBeside(path)
    const temporary = temporaryFolder()
    const inspection = await openReadOnly(path)
    expect(bytesBeside(path)).toEqual(before)
    expect(rowsOf(inspection)).toEqual(ROWS)
    inspection.close()
    expect(bytesBeside(path)).toEqual(before)
    // Nor does it leave its copy.
    expect(readdirSync(temporary)).toEqual([])
  })

  it('a store in use: the rows are read in place, and the log stays', async () => {
    const path = await inUse()
    const inspection = await openReadOnly(path)
    expect(rowsOf(inspection)).toEqual(ROWS)
    inspection.close()
    expect(readdirSync(dirname(path)).toSorted()).toEqual(['books.db', 'books.db-shm', 'books.db-wal'])
  })

  it('a store left by a process that was killed: the log is read and not removed', async () => {
    const path = newPath()
    const other = child(
      path,
      `const store = sqlite(path)
      const { epoch, token, incarnation } = await store.join('child')
      const entry = { kind: 'budget', key: 'seats', period: 0, known: false, spent: 0, refund: 0, hold: 10, wantMs: 0,
        policy: { kind: 'initial', limit: 100, burnMax: 5, version: 1, endsAt: null, keepUntil: null } }
      await store.exchange({ epoch, token, incarnation, seq: 1, entries: [entry, { kind: 'counter', key: 'c', add: 7 }], takes: [], close: false })
      console.log('written')
      setInterval(() => {}, 1_000)`,
    )
    expect(await other.line()).toBe('written')
    other.process.kill('SIGKILL')
    await other.ended
    const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)]
    const inspection = await openReadOnly(path)
    expect(rowsOf(inspection)).toEqual(ROWS)
    inspection.close()
    expect(readFileSync(path).equals(file)).toBe(true)
    expect(readFileSync(`${path}-wal`).equals(log)).toBe(true)
  })

  it('a symbolic link: the log is beside the file that it leads to', async () => {
    const path = await backupWithLog()
    const link = newPath('link.db')
    symlinkSync(path, link)
    const inspection = await openReadOnly(link)
    expect(rowsOf(inspection)).toEqual(ROWS)
    inspection.close()
  })

  it('a copy in which SQLite finds no store is removed', async () => {
    const path = newPath()
    writeFileSync(path, '')
    const temporary = temporaryFolder()
    await expect(openReadOnly(path)).rejects.toMatchObject(fault('not_a_database'))
    expect(readdirSync(temporary)).toEqual([])
  })
})

describe('a process that may not write', () => {
  beforeEach(({ skip }) => skip(process.platform === 'win32', 'Windows has no permission bits'))

  it.each([
    ['a backup', backup],
    ['a backup with its log', backupWithLog],
  ])('reads %s in a folder that it may not write', async (_, make) => {
    const path = await make()
    const folder = dirname(path)
    // Root may write everything, so it changes to another user. Before that it reads once: that user may not be able to read the package.
    const other = child(
      newPath(),
      `import { openReadOnly } from ${JSON.stringify(new URL('../../dist/stores/sqlite/inspect.js', import.meta.url).href)}
      import { chmodSync, readdirSync } from 'node:fs'
      const read = async () => {
        const inspection = await openReadOnly(${JSON.stringify(path)})
        const { rows } = inspection.list({ limit: 10 })
        const integrity = inspection.integrity()
        inspection.close()
        return JSON.stringify([rows.map(({ budget }) => budget.pool), integrity])
      }
      await read()
      for (const name of readdirSync(${JSON.stringify(folder)})) chmodSync(${JSON.stringify(`${folder}/`)} + name, 0o444)
      chmodSync(${JSON.stringify(folder)}, 0o555)
      if (process.getuid() === 0) process.setuid(65534)
      console.log(await read().catch((error) => error.message))`,
    )
    const line = await other.line()
    chmodSync(folder, 0o755)
    expect(line).toBe('[[90],[]]')
  })
})

describe('integrity', () => {
  it('a sound file has no findings, also while it is in use', async () => {
    for (const path of [await inUse(), await backup()]) {
      const inspection = await openReadOnly(path)
      expect(inspection.integrity()).toEqual([])
      inspection.close()
    }
  })

  it('a damaged index is found, although every row adds up', async () => {
    const path = await backup()
    const connection = (await loadDriver(undefined)).open(path)
    const [page] = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'lease_epoch'").get([]) ?? []
    connection.close()
    const bytes = readFileSync(path)
    // The page's only cell is at its end.
    bytes.fill(0x2a, Number(page) * PAGE_BYTES - 4, Number(page) * PAGE_BYTES)
    const damaged = newPath()
    writeFileSync(damaged, bytes)
    const inspection = await openReadOnly(damaged)
    expect(rowsOf(inspection)).toEqual(ROWS)
    expect(inspection.integrity()).toEqual(expect.arrayContaining([expect.stringContaining('lease_epoch')]))
    inspection.close()
  })

  it('damage that ends the check is a finding', async () => {
    const path = await backup()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 2 * PAGE_BYTES)
    const damaged = newPath()
    writeFileSync(damaged, bytes)
    const inspection = await openReadOnly(damaged)
    expect(inspection.integrity().length).toBeGreaterThan(0)
    inspection.close()
  })
})
