import { expect, test } from 'vitest'
import { files, read } from './repository.ts'

interface Manifest {
  readonly name?: string
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>
}

interface Lock {
  readonly packages: Record<
    string,
    {
      readonly resolved?: string
      readonly link?: true
      readonly hasInstallScript?: true
      readonly integrity?: string
      readonly optionalDependencies?: Record<string, string>
    }
  >
}

const manifests = files('package.json', '*/package.json').map((path) => JSON.parse(read(path)) as Manifest)
const locked = Object.entries((JSON.parse(read('package-lock.json')) as Lock).packages)

test('docs/dependencies.md lists exactly the dependencies, each with its reason', () => {
  const used = manifests.flatMap((manifest) => [
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.devDependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
    ...Object.keys(manifest.optionalDependencies ?? {}),
  ])
  const listed = [...read('docs/dependencies.md').matchAll(/^- `([^`]+)`: .{20,}/gm)].map((match) => match[1] ?? '')
  const own = new Set(manifests.map(({ name }) => name))
  expect(listed.toSorted()).toEqual([...new Set(used)].filter((name) => !own.has(name)).toSorted())
})

test('database drivers are optional peer dependencies of the library', () => {
  const library = manifests.find(({ name }) => name === 'vsa')
  expect(Object.keys(library?.dependencies ?? {})).toEqual(['ipaddr.js', 'structured-headers', 'temporal-polyfill'])
  const peers = Object.keys(library?.peerDependencies ?? {})
  expect(peers).toEqual(['better-sqlite3', 'ioredis', 'libsql', 'pg', 'redis'])
  for (const peer of peers) expect(library?.peerDependenciesMeta?.[peer]).toEqual({ optional: true })
})

test('no installed package has an install script', () => {
  // The only acceptable exception would be `fsevents`: macOS only, an optional development dependency, with its binary included.
  const scripts = locked.filter(([path, { hasInstallScript }]) => hasInstallScript && !path.endsWith('/fsevents'))
  expect(scripts.map(([path]) => path)).toEqual([])
})

test('the lock file names no registry, and has an integrity hash for every package', () => {
  for (const [path, { resolved, link, integrity }] of locked) {
    if (!path.includes('node_modules/') || link) continue
    expect({ path, resolved, pinned: integrity !== undefined }).toEqual({ path, resolved: undefined, pinned: true })
  }
  expect(read('package-lock.json')).not.toMatch(/https?:\/\/[^"]*\/-\//)
})

test('no file names a registry host', () => {
  const host = /registry[.][a-z]+[.](org|com)/
  const texts = files('*.ts', '*.json', '*.md', '*.npmrc', '.ci', '.npmrc', '*.mjs', '*.yml')
  expect(texts.length).toBeGreaterThan(20)
  expect(texts.filter((path) => host.test(read(path)))).toEqual([])
})

test('the lock file has the binaries of every platform, because `npm ci` refuses one without them', () => {
  const names = new Set(locked.map(([path]) => path.replace(/^.*node_modules\//, '')))
  const wanted = locked.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies))
  expect(wanted.length).toBeGreaterThan(20)
  expect(wanted.filter((name) => !names.has(name))).toEqual([])
})

test('the command is a committed file, because npm links none that is not there yet', () => {
  const { bin } = JSON.parse(read('packages/vsa/package.json')) as { readonly bin: Record<string, string> }
  expect(bin).toEqual({ vsa: './bin/vsa.js' })
  expect(files('packages/vsa/bin/vsa.js')).toEqual(['packages/vsa/bin/vsa.js'])
})
