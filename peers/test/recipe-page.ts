import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** The top of the repository. */
export const root: string = join(import.meta.dirname, '../..')
export const peers: string = join(root, 'peers')

/** One file of a recipe, as the page names it. */
export interface RecipeFile {
  readonly path: string
  readonly code: string
}

/** A recipe that is one program, with what it prints. */
export interface RecipeProgram {
  readonly title: string
  readonly code: string
  readonly output: string
}

const page = readFileSync(join(root, 'docs/recipes.md'), 'utf8')

const FILE = /^`(?<path>[^`\n]+)`\n\n```m?[jt]s\n(?<code>[^]*?)^```$/gm
const PROGRAM = /^```js\n(?<code>[^]*?)^```\n\n```text\n(?<output>[^]*?)^```$/m

/** What stands under each heading. */
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
)

/** @throws Error when the page has no such heading, or no files there */
export function filesOf(title: string): readonly RecipeFile[] {
  const found = [...(sections.get(title) ?? '').matchAll(FILE)]
  if (found.length === 0) throw new Error(`docs/recipes.md has no files under ${title}`)
  return found.map(({ groups }) => ({ path: groups?.['path'] ?? '', code: groups?.['code'] ?? '' }))
}

/** The recipes that are one program. */
export function programs(): readonly RecipeProgram[] {
  return [...sections].flatMap(([title, section]) => {
    const { code, output } = PROGRAM.exec(section)?.groups ?? {}
    return code === undefined || output === undefined ? [] : [{ title, code, output }]
  })
}

/** A folder in which the installed packages and VSA are found by name. It is removed after the file's tests. */
export function packageFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-recipes-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(peers, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(peers, 'node_modules', name), join(modules, name))
  }
  symlinkSync(join(root, 'packages/vsa'), join(modules, 'vsa'))
  return folder
}
