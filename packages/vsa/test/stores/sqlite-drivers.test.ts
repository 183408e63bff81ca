import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { childIn, installed } from './sqlite-children.ts'

const WRONG_NODE = 'was compiled against a different Node.js version using\nNODE_MODULE_VERSION 93.'
const SAID = 'was compiled against a different Node.js version using NODE_MODULE_VERSION 93.'

/** A client in which one step fails as with a binary for another Node: better-sqlite3 loads it with the first database, libsql when it is imported. */
function putClient(folder: string, name: string, fails: 'import' | 'open'): void {
  const at = join(folder, 'node_modules', name)
  mkdirSync(at)
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name, main: 'index.js' }))
  const broken = `throw Object.assign(new Error(${JSON.stringify(WRONG_NODE)}), { code: 'ERR_DLOPEN_FAILED' })`
  const source = fails === 'import' ? broken : `module.exports = class Database { constructor() { ${broken} } }`
  writeFileSync(join(at, 'index.js'), source)
}

/** What the first call says, with a thread and without. Node's own SQLite is left out. */
async function saidIn(folder: string, driver: string): Promise<readonly (string | undefined)[]> {
  const program = childIn(
    folder,
    `import { sqlite } from 'vsa/sqlite'
    for (const thread of [true, false]) {
      const store = sqlite(${JSON.stringify(join(folder, 'books.db'))}, { thread, driver: ${JSON.stringify(driver)} })
      await store.join('a').catch(({ code, transient, message }) => console.log(code, transient, message))
      await store.close()
    }`,
  )
  return [await program.line(), await program.line()]
}

describe('a SQLite client', () => {
  it.each([
    ['better-sqlite3', 'open'],
    ['libsql', 'import'],
  ] as const)(
    '%s is installed and its binary does not load: the error says so, also from the thread',
    async (name, fails) => {
      const folder = installed()
      putClient(folder, name, fails)
      for (const line of await saidIn(folder, name)) {
        expect(line).toContain(`driver_missing false no SQLite client works: ${name} could not be loaded (${SAID})`)
        expect(line).toContain(`npm rebuild ${name}`)
      }
    },
  )

  it('lacks its package for this platform: the error names it', async () => {
    const folder = installed()
    mkdirSync(join(folder, 'node_modules/libsql'))
    writeFileSync(join(folder, 'node_modules/libsql/index.js'), `require('@libsql/linux-x64-none')`)
    for (const line of await saidIn(folder, 'libsql'))
      expect(line).toContain("Cannot find module '@libsql/linux-x64-none'")
  })

  it('is not installed: the error names what to install, and no reason', async () => {
    for (const line of await saidIn(installed(), 'libsql')) {
      expect(line).toContain('driver_missing false no SQLite client found (tried libsql): run `npm install libsql`')
    }
  })

  it('does not work, and the next one does: the next one is used', async () => {
    const folder = installed()
    putClient(folder, 'libsql', 'import')
    // Stands for better-sqlite3, which the tests do not install.
    symlinkSync(
      fileURLToPath(new URL('../../../../node_modules/libsql', import.meta.url)),
      join(folder, 'node_modules/better-sqlite3'),
    )
    const program = childIn(
      folder,
      `import { loadDriver } from './node_modules/vsa/dist/stores/sqlite/client/driver.js'
      import { isBuiltin } from 'node:module'
      console.log((await loadDriver()).name === (isBuiltin('node:sqlite') ? 'node:sqlite' : 'better-sqlite3'))`,
    )
    expect(await program.line()).toBe('true')
  })
})
