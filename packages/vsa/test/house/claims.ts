import { read } from './repository.ts'
import { allTitlesIn } from './test-titles.ts'

/** One row of docs/claims.md. */
export interface Claim {
  /** The page that makes the claim, relative to the top of the repository. */
  readonly page: string
  /** As in the page, with its line breaks as blanks. */
  readonly claim: string
  /** The tests that fail when the claim is not true. */
  readonly tests: readonly { readonly file: string; readonly title: string }[]
  /** Why there is no test; empty when there are tests. */
  readonly reason: string
}

const HEADING = /^## (\S+\.md)$/
const TEST = /^\[[^\]]+\]\(\.\.\/(?<file>[^)]+)\): (?<title>.+)$/
const NO_TEST = /^no test: (.+)$/

/** The claims of the page, in order. */
export function claimsIn(text: string): readonly Claim[] {
  const claims: Claim[] = []
  let page = ''
  for (const line of text.split('\n')) {
    page = HEADING.exec(line)?.[1] ?? page
    const [claim, tests] = cellsOf(line)
    if (claim === undefined || tests === undefined || claim === 'claim' || /^-+$/.test(claim)) continue
    const [, reason = ''] = NO_TEST.exec(tests) ?? []
    claims.push({ page, claim, tests: reason === '' ? tests.split('<br>').map(testIn) : [], reason })
  }
  return claims
}

function testIn(text: string): { readonly file: string; readonly title: string } {
  const { file, title } = TEST.exec(text)?.groups ?? {}
  if (file === undefined || title === undefined) throw new Error(`docs/claims.md: no test is named in: ${text}`)
  return { file, title }
}

/** The titles of the tests in a file. */
export function titlesOf(file: string): readonly string[] {
  return allTitlesIn(read(file))
}

/** The sentences of a page, with each cell of a table as one or more, without the code blocks. */
export function sentencesOf(text: string): readonly string[] {
  const blocks = text.replaceAll(/^```[^]*?^```$/gm, '').split(/\n\s*\n|\n(?=[-|#] ?|\d+\. )/)
  return blocks
    .flatMap((block) => (block.startsWith('|') ? block.split('\n').flatMap(cellsOf) : [block]))
    .map((block) => block.replaceAll(/\s+/g, ' ').trim())
    .flatMap((block) => block.split(/(?<=[.!?]`?) (?=[A-Z`*[])/))
    .filter((sentence) => sentence !== '' && !/^-+$/.test(sentence))
}

/** The cells of one line of a table; none in any other line. */
function cellsOf(line: string): readonly string[] {
  if (!line.startsWith('|')) return []
  const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))
  return cells.slice(1, -1)
}
