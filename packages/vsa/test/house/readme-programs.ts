import { read } from './repository.ts'

/** One program of a page, with what it prints. */
export interface ReadmeProgram {
  /** The heading that it stands under. */
  readonly title: string
  readonly code: string
  readonly output: string
}

const BLOCKS = /^#+ (?<title>.+)$|^```js\n(?<code>[^]*?)^```\n\n```text\n(?<output>[^]*?)^```/gm

/** The programs of the README, in order. */
export function readmePrograms(): readonly ReadmeProgram[] {
  return programsOf('README.md')
}

/** @param page as in `docs/policies.md` */
export function programsOf(page: string): readonly ReadmeProgram[] {
  const programs: ReadmeProgram[] = []
  let heading = ''
  for (const { groups } of read(page).matchAll(BLOCKS)) {
    const { title, code, output } = groups ?? {}
    if (title !== undefined) heading = title
    if (code !== undefined && output !== undefined) programs.push({ title: heading, code, output })
  }
  return programs
}

/** The code with its statements in an async function, behind the imports: CommonJS has no await at the top level. */
export function withoutTopLevelAwait(code: string): string {
  const lines = code.split('\n')
  const isImport = (line: string): boolean => line.startsWith('import ')
  const statements = lines.filter((line) => !isImport(line))
  return [...lines.filter(isImport), 'async function main() {', ...statements, '}', 'main()', ''].join('\n')
}

/** The code with `require` in place of `import`. */
export function asCommonJs(code: string): string {
  return withoutTopLevelAwait(code).replace(/^import (\{[^}]*\}) from ('[^']+')$/gm, 'const $1 = require($2)')
}

/** The code with SQLite on the program's own thread, as the README says for bundlers. */
export function withoutThread(code: string): string {
  return code.replace(/\bsqlite\(('[^']+')\)/g, 'sqlite($1, { thread: false })')
}
