import { build, type Format } from 'esbuild-wasm'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run, runBoth, withProjects } from '../../packages/vsa/test/house/packed-package.ts'
import {
  asCommonJs,
  programsOf,
  readmePrograms,
  withoutThread,
  withoutTopLevelAwait,
} from '../../packages/vsa/test/house/readme-programs.ts'
import { root, temporaryFolder } from '../../packages/vsa/test/house/repository.ts'

// The programs of the README as users have them: as strict TypeScript, from `require`, and bundled; against the packed tarball. That they run
// as they stand is tested in packages/vsa/test/house/readme.test.ts.

const project = join(temporaryFolder(), 'project')
withProjects(join(project, '..'), (tarball) => ({ [project]: [tarball, 'libsql'] }))

const node24 = process.env['VSA_NODE_24']
const nodes = [process.execPath, ...(node24 === undefined ? [] : [node24])]
const programs = readmePrograms().map((program, index) => ({ ...program, name: `program-${index}` }))

/** A folder of its own for each run, so that no two have one database. */
function place(...parts: readonly string[]): string {
  const folder = join(project, ...parts)
  mkdirSync(folder, { recursive: true })
  return folder
}

async function compiled(folder: string, file: string, module: string): Promise<string> {
  const compilerOptions = {
    module,
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    noImplicitReturns: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  return run(process.execPath, [compiler, '-p', folder], folder).catch(
    (error: unknown) => (error as { stdout: string }).stdout,
  )
}

async function bundled(folder: string, code: string, format: Format): Promise<string> {
  const outfile = join(folder, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs')
  const stdin = { contents: code, resolveDir: folder, sourcefile: 'program.mjs' }
  await build({ stdin, outfile, format, bundle: true, platform: 'node', logLevel: 'error' })
  return outfile
}

test('the README has its programs', () => {
  expect(programs.length).toBeGreaterThanOrEqual(6)
})

describe.each(programsOf('docs/policies.md'))('docs/policies.md: $title', ({ title, code }) => {
  test('is strict TypeScript', async () => {
    const folder = place('policies', title.replaceAll(/\W+/g, '-'))
    writeFileSync(join(folder, 'program.mts'), code)
    expect(await compiled(folder, 'program.mts', 'nodenext')).toBe('')
  })
})

describe.each(programs)('README: $title', ({ name, code, output }) => {
  const printed = { stdout: output, stderr: '' }

  test.each([
    ['an ES module', 'program.mts', 'nodenext', code],
    ['CommonJS', 'program.cts', 'node16', withoutTopLevelAwait(code)],
  ])('is strict TypeScript, and runs: %s', async (_kind, file, module, source) => {
    const folder = place(name, file)
    writeFileSync(join(folder, file), source)
    expect(await compiled(folder, file, module)).toBe('')
    expect(await runBoth(process.execPath, [file.replace('ts', 'js')], folder)).toEqual(printed)
  })

  test.each(nodes)('runs from require: %s', async (node) => {
    const folder = place(name, `require-${nodes.indexOf(node)}`)
    writeFileSync(join(folder, 'program.cjs'), asCommonJs(code))
    expect(await runBoth(node, ['program.cjs'], folder)).toEqual(printed)
  })

  test.each([
    ['esm', 'import', code],
    ['cjs', 'import', withoutTopLevelAwait(code)],
    ['cjs', 'require', asCommonJs(code)],
  ] as const)('runs bundled as %s from %s, with thread: false', async (format, from, source) => {
    const folder = place(name, `${format}-${from}`)
    const bundle = await bundled(folder, withoutThread(source), format)
    expect(await runBoth(process.execPath, [bundle], folder)).toEqual(printed)
  })
})
