import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run, withProjects } from './packed-package.ts'
import { root, temporaryFolder } from './repository.ts'

// The tarball of the build, installed into new projects and used from there, also on the Node 24 that `.ci/run` names in VSA_NODE_24.
const node24 = process.env['VSA_NODE_24']
const nodes = [process.execPath, ...(node24 === undefined ? [] : [node24])]
const folder = temporaryFolder()
const withDriver = join(folder, 'with-driver')
const withoutDriver = join(folder, 'without-driver')
const withTypeScript5 = join(folder, 'with-typescript-5')
const packed = withProjects(folder, (tarball) => ({
  [withDriver]: [tarball, 'libsql'],
  [withoutDriver]: [tarball],
  [withTypeScript5]: [tarball, 'typescript@5.3'],
}))

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
  expect(
    paths.filter(
      (path) => !wanted.includes(path) && !/^dist\/.+(\.js|\.d\.ts)$|^commonjs\/.+\.(d\.cts|cjs)$/.test(path),
    ),
  ).toEqual([])
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
  console.log(typeof manualClock, typeof storeConformance, typeof postgres, typeof redis, VsaError.name)
}
`
const used = 'memory true true false 2\nsqlite true true false 2\nfunction function function function VsaError\n'

describe.each(nodes)('with %s', (node) => {
  const version = node === process.execPath ? 'this' : '24'

  test('an ES module imports every subpath', async () => {
    const lines = [
      `import { open, VsaError } from 'vsa'`,
      `import { memory } from 'vsa/memory'`,
      `import { postgres } from 'vsa/postgres'`,
      `import { redis } from 'vsa/redis'`,
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
      `const { postgres } = require('vsa/postgres')`,
      `const { redis } = require('vsa/redis')`,
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

describe('TypeScript', () => {
  const imports = `
import { open, StoreError, VsaError, type Budget, type Decision, type Store, type Vsa } from 'vsa'
import { memory } from 'vsa/memory'
import { postgres, type PostgresPool } from 'vsa/postgres'
import { redis, type RedisClient } from 'vsa/redis'
import { sqlite } from 'vsa/sqlite'
import { manualClock, storeConformance } from 'vsa/testing'
`
  const body = `
declare const pool: PostgresPool
const stores: Store[] = [memory(), sqlite('vsa.db')]
export const onPool = (): Store => postgres(pool, { schema: 'a' })
export const onClient = (client: RedisClient): Store => redis(client, { prefix: 'a' })
const vsa: Vsa = open({ store: stores[0] ?? memory(), clock: manualClock() })
const budget: Budget = vsa.budgets('calls', { limit: 10, per: 'month', timeZone: 'Europe/Berlin' }).of('a')

async function main(): Promise<void> {
  const decision: Decision = await budget.decide(1, { deadlineMs: 50 })
  const wait: number | undefined = decision.retryAfterMs
  const reason: 'exhausted' | 'reserved' | 'over-limit' | 'refunded' | 'unavailable' | undefined = decision.reason
  // @ts-expect-error a record is not a boolean
  const served: boolean = await budget.decide()
  const error: VsaError | StoreError | null = await budget.admit(1).then(() => null, (cause) => cause)
  if (error instanceof VsaError) throw new Error(error.code)
  console.log(decision.admitted, typeof served, wait, reason, typeof storeConformance)
  await vsa.close()
}
// @ts-expect-error a limit needs a period
const wrong = (): Budget => vsa.budget('a', { limit: 10 })
// @ts-expect-error an option that is not known
const unknown = (): Vsa => open({ store: memory(), flushInterval: 5 })

export const programs = [wrong, unknown]
export const done = main()
`
  const STRICT = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false,
    target: 'es2022',
    types: [] as readonly string[],
    outDir: 'out',
  }
  const withNode = { types: ['node'], typeRoots: [join(root, 'node_modules/@types')] }
  /** There is no console without the types of Node or a browser. */
  const withoutConsole = `declare const console: { log(...values: unknown[]): void }\n`

  const compile = async (project: string, compiler: string, file: string, options: object): Promise<string> => {
    const config = { compilerOptions: { ...STRICT, ...options }, files: [file] }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
    return run(process.execPath, [join(compiler, 'typescript/bin/tsc')], project).catch(
      (error: unknown) => (error as { stdout: string }).stdout,
    )
  }

  test.each([
    ['an ES module, by nodenext', 'a.mts', { module: 'nodenext', lib: ['es2022'] }],
    ['an ES module, by node16', 'b.mts', { module: 'node16', lib: ['es2022'] }],
    ['an ES module, for a browser as well', 'c.mts', { module: 'nodenext', lib: ['es2022', 'dom'] }],
    ['an ES module, for a bundler', 'd.mts', { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022'] }],
    ['an ES module, with the types of Node', 'e.mts', { module: 'nodenext', lib: ['es2023'], ...withNode }],
    ['CommonJS, by node16', 'f.cts', { module: 'node16', lib: ['es2022'] }],
    ['CommonJS, by nodenext', 'g.cts', { module: 'nodenext', lib: ['es2022'] }],
    ['CommonJS, with the types of Node', 'h.cts', { module: 'node16', lib: ['es2023'], ...withNode }],
  ])('compiles a strict program, without skipLibCheck, and it runs: %s', async (_name, file, options) => {
    const console = 'typeRoots' in options || options.lib.includes('dom') ? '' : withoutConsole
    writeFileSync(join(withDriver, file), `${imports}${console}${body}`)
    expect(await compile(withDriver, join(root, 'node_modules'), file, options)).toBe('')
    const built = join('out', file.replace('ts', 'js'))
    expect(await run(process.execPath, [built], withDriver)).toBe('true object undefined undefined function\n')
  })

  test.each([
    ['an ES module, by nodenext', 'a.mts', { module: 'nodenext', lib: ['es2022'] }],
    ['CommonJS, by node16', 'b.cts', { module: 'node16', lib: ['es2022'] }],
    ['CommonJS, the old way', 'c.ts', { module: 'commonjs', moduleResolution: 'node10', lib: ['es2022'] }],
  ])('version 5.3 compiles it, too: %s', async (_name, file, options) => {
    writeFileSync(join(withTypeScript5, file), `${imports}${withoutConsole}${body}`)
    expect(await compile(withTypeScript5, join(withTypeScript5, 'node_modules'), file, options)).toBe('')
    const built = join('out', file.replace('ts', 'js'))
    expect(await run(process.execPath, [built], withTypeScript5)).toBe('true object undefined undefined function\n')
  })
})

test('npx vsa --help prints the commands', async () => {
  const help = await run('npx', ['--no-install', 'vsa', '--help'], withDriver)
  for (const command of ['demo', 'replay', 'verify', 'inspect']) expect(help).toContain(command)
})
