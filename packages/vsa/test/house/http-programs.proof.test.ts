import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { programsOf } from './readme-programs.ts'
import { read, root, temporaryFolder } from './repository.ts'

// The programs of docs/http.md, as those of the README, with the frameworks installed beside the built package.
const PAGE = 'docs/http.md'
const programs = programsOf(PAGE)

const folder = temporaryFolder()
mkdirSync(join(folder, 'node_modules/@hono'), { recursive: true })
symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))
for (const name of ['express', 'fastify', 'hono', '@hono/node-server'])
  symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))

test('every program has an expected output', () => {
  expect(programs).toHaveLength(read(PAGE).match(/^```js$/gm)?.length ?? 0)
  expect(programs.length).toBeGreaterThanOrEqual(5)
})

test.each(programs)('$title', async ({ code, output }) => {
  const place = mkdtempSync(join(folder, 'program-'))
  writeFileSync(join(place, 'program.mjs'), code)
  const run = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: place, timeout: 100_000 })
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: output, stderr: '' })
})
