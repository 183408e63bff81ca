import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { packageFolder, programs } from './recipe-page.ts'

const folder = packageFolder()

test('there are two recipes of one program', () => {
  expect(programs().map(({ title }) => title)).toEqual(['tRPC', 'The cost of a GraphQL query'])
})

test.each(programs())('$title: the recipe prints what the page says', async ({ title, code, output }) => {
  const place = join(folder, title.replaceAll(' ', '-'))
  mkdirSync(place)
  writeFileSync(join(place, 'program.mjs'), code)
  const run = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: place, timeout: 100_000 })
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: output, stderr: '' })
})
