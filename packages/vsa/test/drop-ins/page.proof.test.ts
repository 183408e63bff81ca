import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { programsOf } from '../house/readme-programs.ts'
import { root, temporaryFolder } from '../house/repository.ts'

// The programs of these sections run as they stand in the page. Those of other drop-ins have tests of their own.
const PAGE = 'docs/drop-ins.md'
const SECTIONS = ['express-rate-limit', 'rate-limiter-flexible']
const programs = programsOf(PAGE).filter(({ title }) => SECTIONS.includes(title))

const folder = temporaryFolder()
mkdirSync(join(folder, 'node_modules'))
for (const [name, path] of [
  ['vsa', 'packages/vsa'],
  ['express', 'node_modules/express'],
  ['express-rate-limit', 'node_modules/express-rate-limit'],
] as const)
  symlinkSync(join(root, path), join(folder, 'node_modules', name))

test('each section has one program', () => {
  expect(programs.map(({ title }) => title)).toEqual(SECTIONS)
})

test.each(programs)(`${PAGE}: $title`, async ({ code, output }) => {
  const place = mkdtempSync(join(folder, 'program-'))
  writeFileSync(join(place, 'program.mjs'), code)
  const run = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: place, timeout: 100_000 })
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: output, stderr: '' })
})
