import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { root, temporaryFolder } from './repository.ts'

// The tarball of the build, installed into new projects and used from there, also on the Node 24 that `.ci/run` names in VSA_NODE_24.
const node24 = process.env['VSA_NODE_24']
const nodes = [process.execPath, ...(node24 === undefined ? [] : [node24])]
/** Reached only by a hung process. */
const TIMEOUT_MS = 600_000
const folder = temporaryFolder()
const withDriver = join(folder, 'with-driver')
const withoutDriver = join(folder, 'without-driver')
let tarball = ''
/** Why the packages cannot be installed; null when they are. */
let notInstalled: string | null = null

const NETWORK_ERRORS = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH|NOTCACHED)/

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}
let packed: Packed

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, timeout: TIMEOUT_MS })
  return stdout
}

beforeAll(async () => {
  const out = await run('npm', ['pack', '--json', '--workspace', 'vsa', '--pack-destination', folder], root)
  packed = (JSON.parse(out.slice(out.indexOf('['))) as [Packed])[0]
  tarball = join(folder, packed.filename)
  for (const [project, packages] of [
    [withDriver, [tarball, 'libsql']],
    [withoutDriver, [tarball]],
  ] as const) {
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    await install(project, packages)
  }
})

/** Without a network these tests are skipped. In CI they fail. */
beforeEach(({ skip }) => {
  if (notInstalled !== null && process.env['CI'] === 'true') throw new Error(notInstalled)
  skip(notInstalled !== null, notInstalled ?? '')
})

async function install(project: string, packages: readonly string[]): Promise<void> {
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], project)
  } catch (error) {
    if (!NETWORK_ERRORS.test(String(error))) throw error
    notInstalled = `npm cannot reach a registry: ${String(error)}`
  }
}

test('the tarball has the built files, and no sources, tests or source maps', () => {
  const paths = packed.files.map(({ path }) => path)
  const wanted = [
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'package.json',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
    'bin/vsa.js',
  ]
  expect(paths).toEqual(expect.arrayContaining(wanted))
  expect(paths.filter((path) => !wanted.includes(path) && !/^dist\/.+(\.js|\.d\.ts)$/.test(path))).toEqual([])
})

test('installing the tarball installs its one dependency and no driver', () => {
  const lock = JSON.parse(readFileSync(join(withoutDriver, 'node_modules/.package-lock.json'), 'utf8')) as {
    readonly packages: Record<string, unknown>
  }
  expect(Object.keys(lock.packages)).not.toContain('node_modules/libsql')
  expect(Object.keys(lock.packages)).not.toContain('node_modules/better-sqlite3')
})

const use = (database: string): string => `
const stores = { memory: memory(), sqlite: sqlite('${database}') }
const main = async () => {
  for (const [name, store] of Object.entries(stores)) {
    const vsa = open({ store })
    const seats = vsa.budget('seats', { initial: 2 })
    console.log(name, await seats.admit(), await seats.admit(), await seats.admit(), (await seats.peek()).used)
    await vsa.close()
  }
  console.log(typeof manualClock, typeof storeConformance, VsaError.name)
}
`
const used = 'memory true true false 2\nsqlite true true false 2\nfunction function VsaError\n'

describe.each(nodes)('with %s', (node) => {
  const version = node === process.execPath ? 'this' : '24'

  test('an ES module imports every subpath', async () => {
    const lines = [
      `import { open, VsaError } from 'vsa'`,
      `import { memory } from 'vsa/memory'`,
      `import { sqlite } from 'vsa/sqlite'`,
      `import { manualClock, storeConformance } from 'vsa/testing'`,
      use(`module-${version}.db`),
      'await main()',
    ]
    writeFileSync(join(withDriver, 'module.mjs'), lines.join('\n'))
    expect(await run(node, ['module.mjs'], withDriver)).toBe(used)
  })

  test('a CommonJS program requires every subpath', async () => {
    const lines = [
      `const { open, VsaError } = require('vsa')`,
      `const { memory } = require('vsa/memory')`,
      `const { sqlite } = require('vsa/sqlite')`,
      `const { manualClock, storeConformance } = require('vsa/testing')`,
      use(`common-${version}.db`),
      'main()',
    ]
    writeFileSync(join(withDriver, 'common.cjs'), lines.join('\n'))
    expect(await run(node, ['common.cjs'], withDriver)).toBe(used)
  })

  test('without a driver it uses the SQLite of Node, or names what to install', async () => {
    const lines = [
      `import { open } from 'vsa'`,
      `import { sqlite } from 'vsa/sqlite'`,
      `try {`,
      `  const vsa = open({ store: sqlite('none-${version}.db'), onEvent: () => {} })`,
      `  await vsa.ready()`,
      `  console.log('ready')`,
      `  await vsa.close()`,
      `} catch ({ code, message }) {`,
      `  console.log(code, /npm install libsql/.test(message))`,
      `  process.exit()`,
      `}`,
    ]
    writeFileSync(join(withoutDriver, 'none.mjs'), lines.join('\n'))
    const hasSqlite = (await run(node, ['-p', `require('module').isBuiltin('node:sqlite')`], folder)).trim() === 'true'
    expect(await run(node, ['none.mjs'], withoutDriver)).toBe(hasSqlite ? 'ready\n' : 'driver_missing true\n')
  })
})

test('TypeScript finds the types of every subpath', async () => {
  const program = `
import { open, type Budget, type Decision, type Store, type Vsa } from 'vsa'
import { memory } from 'vsa/memory'
import { sqlite } from 'vsa/sqlite'
import { manualClock, storeConformance } from 'vsa/testing'

const stores: Store[] = [memory(), sqlite('vsa.db')]
const vsa: Vsa = open({ store: stores[0] ?? memory(), clock: manualClock() })
const budget: Budget = vsa.budgets('calls', { limit: 10, per: 'month', timeZone: 'Europe/Berlin' }).of('a')
const decision: Decision = await budget.decide(1, { signal: new AbortController().signal })
export const wait: number | undefined = decision.admitted ? undefined : decision.retryAfterMs
export const conformance: typeof storeConformance = storeConformance
// @ts-expect-error a limit needs a period
vsa.budget('a', { limit: 10 })
// @ts-expect-error a record is not a boolean
export const served: boolean = await budget.decide()
`
  const options = {
    module: 'nodenext',
    strict: true,
    noEmit: true,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
  }
  const types = { types: ['node'], typeRoots: [join(root, 'node_modules/@types')], skipLibCheck: false }
  writeFileSync(join(withDriver, 'program.mts'), program)
  writeFileSync(
    join(withDriver, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...options, ...types }, files: ['program.mts'] }),
  )
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const answer = await run(process.execPath, [tsc], withDriver).catch(
    (error: unknown) => (error as { stdout: string }).stdout,
  )
  expect(answer).toBe('')
})

test('npx vsa --help prints the commands', async () => {
  const help = await run('npx', ['--no-install', 'vsa', '--help'], withDriver)
  for (const command of ['demo', 'replay', 'verify', 'inspect']) expect(help).toContain(command)
})
