import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

// The examples in the comments of `vsa/testing`: compiled against what is built, and run where they print something.
const root = join(import.meta.dirname, '../../../..')
const folder = mkdtempSync(join(tmpdir(), 'vsa-examples-'))
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FILES = ['store-conformance', 'faulty-store', 'manual-clock']

/** The code of the first example in a source file, without the asterisks of its comment. */
function exampleIn(file: string): string {
  const source = readFileSync(join(root, 'packages/vsa/src/testing', `${file}.ts`), 'utf8')
  const [, code = ''] = /^ \* ```ts\n([^]*?)^ \* ```$/m.exec(source) ?? []
  return code.replaceAll(/^ \* ?/gm, '')
}

/** What the comments behind `console.log` say is printed. */
function promisedBy(code: string): string {
  return [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, output]) => `${output}\n`).join('')
}

test('every example compiles', () => {
  for (const file of FILES) writeFileSync(join(folder, `${file}.mts`), exampleIn(file))
  const options = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  }
  const config = { compilerOptions: options, files: FILES.map((file) => `${file}.mts`) }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  expect(spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' }).stdout).toBe('')
})

test.each(['faulty-store', 'manual-clock'])('the example of %s prints what its comments say', async (file) => {
  const code = exampleIn(file)
  expect(promisedBy(code)).not.toBe('')
  writeFileSync(join(folder, `${file}.mjs`), code)
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, `${file}.mjs`)], { timeout: 20_000 })
  expect(stdout).toBe(promisedBy(code))
})
