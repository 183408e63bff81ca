import { chmodSync, linkSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkPath } from '../../src/stores/sqlite/client/file.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { applied, batch, closing, count, fault, newPath, tampered } from './sqlite-fixture.ts'

const open = (path: string) => closing(sqlite(path, { thread: false, driver: 'libsql' }))

describe('S7: a commit is on the disk', () => {
  it('S7: macOS is asked to write through its own cache, before the first commit and for checkpoints', async () => {
    const seen: string[] = []
    const levels: unknown[] = []
    const driver = tampered({
      seen: (sql) => seen.push(sql),
      opened: (database) => levels.push(() => database.prepare('PRAGMA fullfsync').get()),
    })
    await closing(sqlite(newPath(), { driver })).join('a')
    const [level] = levels as [() => unknown]
    expect(level()).toMatchObject({ fullfsync: 1 })
    expect(
      seen.findIndex((sql) => sql.includes('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')),
    ).toBeLessThan(seen.findIndex((sql) => sql.includes('CREATE TABLE')))
  })
})

describe('L1: a file with more than one name', () => {
  it('L1: a hard link is refused under each of its names, with what to do, until there is one name again', async () => {
    const path = newPath()
    const store = open(path)
    await store.join('a')
    await store.close()
    const other = newPath('other.db')
    linkSync(path, other)
    for (const name of [path, other]) {
      await expect(open(name).join('b')).rejects.toMatchObject(fault('store_unsafe'))
      await expect(open(name).join('b')).rejects.toThrow(`${name} has 2 names (hard links)`)
    }
    rmSync(other)
    await expect(open(path).join('b')).resolves.toMatchObject({ epoch: 2 })
  })

  it('L1: a file that is itself mounted is refused, and names the folder to mount; one in a mounted folder is not', () => {
    const path = realpathSync(dirname(newPath())) + '/a b\\c.db'
    writeFileSync(path, '')
    const table = newPath('mountinfo')
    const mounted = (point: string): void =>
      writeFileSync(
        table,
        `22 1 8:1 / / rw - ext4 /dev/sda rw\n23 22 8:1 /host/vsa.db ${point} rw,relatime - ext4 /dev/sda rw\n`,
      )
    mounted(path.replaceAll('\\', '\\134').replaceAll(' ', '\\040'))
    expect(() => checkPath(path, table)).toThrow(expect.objectContaining(fault('store_unsafe')))
    expect(() => checkPath(path, table)).toThrow(`mount its folder instead (in Docker \`-v DIR:${dirname(path)}\`)`)
    const link = newPath('link.db')
    symlinkSync(path, link)
    expect(() => checkPath(link, table)).toThrow(expect.objectContaining(fault('store_unsafe')))
    mounted(dirname(path))
    expect(checkPath(path, table)).toBe(true)
    expect(checkPath(path, `${table}-missing`)).toBe(true)
  })

  it('a symbolic link is the same store', async () => {
    const path = newPath()
    const link = newPath('link.db')
    symlinkSync(path, link)
    const [one, two] = [open(link), open(path)]
    await one.exchange(batch(await one.join('a'), 1, { entries: [count('c', 1)] }))
    const second = await two.join('b')
    const answer = applied(await two.exchange(batch(second, 1, { entries: [count('c', 1)] })))
    expect(answer.entries).toMatchObject([{ value: 2 }])
  })
})

describe('the mode of the files', () => {
  beforeEach(({ skip }) => skip(process.platform === 'win32', 'Windows has no permission bits'))

  const modes = (path: string): readonly number[] =>
    ['', '-wal', '-shm'].map((suffix) => statSync(path + suffix).mode & 0o777)

  it('a new file and those beside it are for this user alone', async () => {
    const path = newPath()
    await open(path).join('a')
    expect(modes(path)).toEqual([0o600, 0o600, 0o600])
  })

  it('a file that was there keeps its mode, and those beside it follow', async () => {
    const path = newPath()
    writeFileSync(path, '')
    chmodSync(path, 0o640)
    await open(path).join('a')
    expect(modes(path)).toEqual([0o640, 0o640, 0o640])
  })
})
