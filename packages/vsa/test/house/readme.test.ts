import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { read, root, temporaryFolder } from './repository.ts'

// The README's programs, each run as a user would: saved to a file of its own, with the built package installed.
const readme = read('README.md')
const blocks = readme.matchAll(/^#+ (?<title>.+)$|^```js\n(?<code>[^]*?)^```\n\n```text\n(?<output>[^]*?)^```/gm)

const programs: { readonly title: string; readonly code: string; readonly output: string }[] = []
let heading = ''
for (const { groups } of blocks) {
  const { title, code, output } = groups ?? {}
  if (title !== undefined) heading = title
  if (code !== undefined && output !== undefined) programs.push({ title: heading, code, output })
}

const folder = temporaryFolder()
mkdirSync(join(folder, 'node_modules'))
symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))

test('every program in the README has an output to compare, and none is missing', () => {
  expect(programs).toHaveLength(readme.match(/^```js$/gm)?.length ?? 0)
  expect(programs.length).toBeGreaterThanOrEqual(6)
})

test.each(programs)('README: $title', { timeout: 60_000 }, async ({ code, output }) => {
  const place = mkdtempSync(join(folder, 'program-'))
  writeFileSync(join(place, 'program.mjs'), code)
  const run = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: place, timeout: 50_000 })
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: output, stderr: '' })
})

test('every link in the README and the docs leads somewhere', () => {
  for (const page of ['README.md', 'CHANGELOG.md', 'docs/spec.md', 'docs/testing.md', 'docs/dependencies.md']) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect({ page, target, there: existsSync(join(root, page, '..', target ?? '')) }).toEqual({
        page,
        target,
        there: true,
      })
    }
  }
})
