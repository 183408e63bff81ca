import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import { type DriverName, givenDriver, loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { openReadOnly } from '../../src/stores/sqlite/inspect.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { closing, fault, newPath } from './sqlite-fixture.ts'

/* Without a child process: mutants of the loading meet these tests. The clients stand in the place of those that are not installed here. */

const WRONG_NODE = 'was compiled against a different Node.js version using\n  NODE_MODULE_VERSION 93.'
const SAID = 'was compiled against a different Node.js version using NODE_MODULE_VERSION 93.'

/** What the last database was opened with. */
let opened: readonly unknown[] = []

class Working {
  constructor(...given: unknown[]) {
    opened = given
  }
  exec(): unknown {
    return undefined
  }
  prepare(): never {
    throw new Error('not reached')
  }
  close(): unknown {
    return undefined
  }
}

/** A class that fails with its first database, as better-sqlite3 does with a binary for another Node. */
function failing(message: string, code?: string): typeof Working {
  return class Broken extends Working {
    constructor() {
      super()
      throw Object.assign(new Error(message), code === undefined ? {} : { code })
    }
  }
}

const mocked: string[] = []

/** Puts a module in the place of a client. */
function put(name: string, module: () => object): void {
  vi.doMock(name, module)
  mocked.push(name)
}

afterEach(() => {
  for (const name of mocked.splice(0)) vi.doUnmock(name)
})

async function refusal(name?: DriverName): Promise<StoreError> {
  const error: unknown = await loadDriver(name).catch((reason: unknown) => reason)
  if (!(error instanceof StoreError)) throw new Error(`no StoreError: ${String(error)}`)
  return error
}

describe('a SQLite client that is loaded by its name', () => {
  it.each([
    ['libsql', 'default', ['file:///data/a%20b.db?mode=ro']],
    ['better-sqlite3', 'default', ['/data/a b.db', { readonly: true, fileMustExist: true }]],
    ['node:sqlite', 'DatabaseSync', ['/data/a b.db', { readOnly: true }]],
  ] as const)(
    '%s is tried with a database in memory, and opens a file to write, or only to read',
    async (name, field, readOnly) => {
      put(name, () => ({ [field]: Working }))
      const driver = await loadDriver(name)
      expect([driver.name, opened]).toEqual([name, [':memory:']])
      driver.open('/data/a b.db')
      expect(opened).toEqual(['/data/a b.db'])
      driver.openReadOnly('/data/a b.db')
      expect(opened).toEqual(readOnly)
    },
  )

  it.each([
    ['exports no class', () => ({ default: 7 }), 'better-sqlite3 exports no Database class'],
    ['exports nothing', () => ({}), 'better-sqlite3 exports no Database class'],
    ['has a binary for another Node', () => ({ default: failing(WRONG_NODE, 'ERR_DLOPEN_FAILED') }), SAID],
    [
      'lacks a file of its own',
      () => ({ default: failing("Cannot find module 'bindings'", 'MODULE_NOT_FOUND') }),
      "Cannot find module 'bindings'",
    ],
  ])('%s: the error says so, and how to mend it', async (_, module, reason) => {
    put('better-sqlite3', module)
    const error = await refusal('better-sqlite3')
    expect(error).toMatchObject(fault('driver_missing'))
    expect(error.message).toContain(`no SQLite client works: better-sqlite3 could not be loaded (${reason})`)
    expect(error.message).toContain(`\`npm rebuild better-sqlite3\` with this Node (${process.version})`)
  })

  it.each([
    ["Cannot find module 'better-sqlite3'", 'MODULE_NOT_FOUND'],
    ["Cannot find package 'better-sqlite3' imported from /app", 'ERR_MODULE_NOT_FOUND'],
    ['No such built-in module', 'ERR_UNKNOWN_BUILTIN_MODULE'],
  ])('is not installed, as Node says it: %s', async (message, code) => {
    put('better-sqlite3', () => ({ default: failing(message, code) }))
    const error = await refusal('better-sqlite3')
    expect(error).toMatchObject(fault('driver_missing', { cause: { errors: [{ code }] } }))
    expect(error.message).toMatch(
      /^no SQLite client found \(tried better-sqlite3\): run `npm install libsql`, or use Node 22/,
    )
    put('better-sqlite3', () => ({ default: failing(message) }))
    expect((await refusal('better-sqlite3')).message).toMatch(/^no SQLite client works/)
  })

  it('says no more than 400 characters of what the client said', async () => {
    for (const [length, end] of [
      [400, ')'],
      [401, '…)'],
    ] as const) {
      put('better-sqlite3', () => ({ default: failing('x'.repeat(length)) }))
      expect((await refusal('better-sqlite3')).message).toContain(`(${'x'.repeat(400)}${end}`)
    }
  })
})

it('an inspection that may not write beside the owners of the file says what to do', async () => {
  const path = newPath()
  writeFileSync(path, 'SQLite format 3')
  put('better-sqlite3', () => ({
    default: class extends Working {
      constructor(...given: unknown[]) {
        super(...given)
        const cause = Object.assign(new Error('attempt to write'), { code: 'SQLITE_READONLY_CANTINIT' })
        if (given[0] !== ':memory:') throw cause
      }
    },
  }))
  const error: unknown = await openReadOnly(path, { driver: 'better-sqlite3' }).catch((reason: unknown) => reason)
  expect(error).toMatchObject(fault('read_only', { cause: { code: 'SQLITE_READONLY_CANTINIT' } }))
  expect(error).toMatchObject({ message: expect.stringContaining('run it as their user, or on a backup') as string })
})

describe('without a name', () => {
  it('the first client that works is used', async () => {
    put('node:sqlite', () => ({ DatabaseSync: failing('no', 'ERR_UNKNOWN_BUILTIN_MODULE') }))
    put('libsql', () => ({ default: failing(WRONG_NODE) }))
    put('better-sqlite3', () => ({ default: Working }))
    expect((await loadDriver(undefined)).name).toBe('better-sqlite3')
    put('libsql', () => ({ default: Working }))
    expect((await loadDriver(undefined)).name).toBe('libsql')
  })

  it('none is installed: the error names all; and one that is installed and does not work is named alone', async () => {
    put('node:sqlite', () => ({ DatabaseSync: failing('no', 'ERR_UNKNOWN_BUILTIN_MODULE') }))
    for (const name of ['libsql', 'better-sqlite3'])
      put(name, () => ({ default: failing(`Cannot find module '${name}'`, 'MODULE_NOT_FOUND') }))
    expect((await refusal()).message).toContain('(tried node:sqlite, libsql, better-sqlite3)')
    put('libsql', () => ({ default: failing('a is broken') }))
    expect((await refusal()).message).toContain('works: libsql could not be loaded (a is broken). Run')
    put('better-sqlite3', () => ({ default: failing('b is broken') }))
    expect((await refusal()).message).toContain(
      'libsql could not be loaded (a is broken); better-sqlite3 could not be loaded (b is broken). Run `npm rebuild libsql better-sqlite3`',
    )
  })
})

describe('a class that is handed in', () => {
  it('has its name, and opens the file that it is asked for', () => {
    const driver = givenDriver(Working)
    driver.open('/data/books.db')
    expect([driver.name, opened]).toEqual(['Working', ['/data/books.db']])
    expect(givenDriver(class extends Working {}).name).toBe('Database')
  })

  it('has a binary that does not load: the error says so, each time', async () => {
    const store = closing(sqlite(newPath(), { driver: failing(WRONG_NODE, 'ERR_DLOPEN_FAILED') }))
    for (let call = 0; call < 2; call += 1) {
      const said = { message: expect.stringContaining(`Broken could not be loaded (${SAID})`) as string }
      await expect(store.join('a')).rejects.toMatchObject(fault('driver_missing', said))
    }
  })

  it('an error of SQLite is not an error of the class', () => {
    const message = 'ConnectionFailed("Unable to open connection to local database /a: 14")'
    expect(() => givenDriver(failing(message)).open('/a')).toThrow(expect.objectContaining({ name: 'Error', message }))
  })
})
