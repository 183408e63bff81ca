import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { programsOf } from './readme-programs.ts'
import { files, read, root, temporaryFolder } from './repository.ts'

// Each program of these pages runs in its own file, with the built package installed.
const PROGRAM_PAGES = ['README.md', 'docs/policies.md', 'docs/observability.md']
const readme = read('README.md')
const programs = PROGRAM_PAGES.flatMap((page) => programsOf(page).map((program) => ({ page, ...program })))

const folder = temporaryFolder()
mkdirSync(join(folder, 'node_modules'))
symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))
mkdirSync(join(folder, 'node_modules/@opentelemetry'))
for (const peer of ['prom-client', '@opentelemetry/api'])
  symlinkSync(join(root, 'node_modules', peer), join(folder, 'node_modules', peer))

test.each(PROGRAM_PAGES)('every program in %s has an expected output', (page) => {
  const found = programsOf(page)
  expect(found).toHaveLength(read(page).match(/^```js$/gm)?.length ?? 0)
  expect(found.length).toBeGreaterThanOrEqual(2)
})

test.each(programs)('$page: $title', async ({ code, output }) => {
  const place = mkdtempSync(join(folder, 'program-'))
  writeFileSync(join(place, 'program.mjs'), code)
  const run = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: place, timeout: 100_000 })
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: output, stderr: '' })
})

const REPEATABLE = /= await [\w.]+\.reserve\([^)]*\bid\b/

test('R1: no program takes every reservation under an id for one that is open', () => {
  const others = [...files('docs/*.md').flatMap((page) => [...read(page).matchAll(/^```mjs\n([^]*?)^```/gm)].map(([code]) => code)), ...files('examples/*/*.js').map(read)] // oxfmt-ignore
  const reserving = [...programs.map(({ code }) => code), ...others].filter((code) => REPEATABLE.test(code))
  expect(reserving.length).toBeGreaterThanOrEqual(6)
  expect(reserving.filter((code) => !/\.state [!=]== 'open'/.test(code))).toEqual([])
})

test('the README names the versions that the packages require', () => {
  const { engines } = JSON.parse(read('packages/vsa/package.json')) as { readonly engines: { readonly node: string } }
  expect(readme).toContain(`VSA needs Node ${engines.node.replace('>=', '')} or later.`)
  const [, compiler] = /'typescript@([\d.]+)'/.exec(read('packages/vsa/test/house/package.proof.test.ts')) ?? []
  expect(readme).toContain(`Its types need TypeScript ${compiler} or later`)
})

/** The pages whose links are checked. */
const pages = ['README.md', 'CHANGELOG.md', ...files('docs/*.md')]

test.each(pages)('every link in %s points to an existing file or heading', (page) => {
  const text = read(page)
  const targets = [...text.matchAll(/\]\((?!https?:)([^)]+)\)|^\[[^\]]+\]: (?!https?:)(\S+)/gm)]
  const dead = targets
    .map(([, inline = '', reference = '']) => inline + reference)
    .filter((target) => !leadsSomewhere(page, target))
  expect(dead).toEqual([])
})

function leadsSomewhere(page: string, target: string): boolean {
  const [file = '', heading] = target.split('#')
  const path = file === '' ? page : join(page, '..', file)
  if (!existsSync(join(root, path))) return false
  return heading === undefined || headings(read(path)).includes(heading)
}

/** The anchors of a page's headings. */
function headings(text: string): readonly string[] {
  const titles = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title ?? '')
  return titles.map((title) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

test.each(pages)('every file named in %s exists', (page) => {
  const text = read(page).replace(/\[[^\]]*\](?:\([^)]*\)|: \S+)?/g, '') // Links are tested above.
  const named = [...text.matchAll(/(?<![\w/.])(?:packages|proof|bench|docs)\/[\w./-]*\w/g)].map(([path]) => path)
  expect(named.filter((path) => !path.includes('/dist/') && !existsSync(join(root, path)))).toEqual([])
})

test.each(pages)('every npm script named in %s exists', (page) => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Record<string, string> }
  const named = [...read(page).matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? '')
  expect(named.filter((name) => !(name in scripts))).toEqual([])
})

test('docs/testing.md stays below its size limit', () => {
  expect(Buffer.byteLength(read('docs/testing.md'))).toBeLessThanOrEqual(15_000)
})
