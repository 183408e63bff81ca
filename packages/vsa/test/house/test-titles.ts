import { files, read } from './repository.ts'

/** One test whose title cites laws or rules. */
export interface TestTitle {
  readonly file: string
  /** The cited ids, in the order of the title. */
  readonly ids: readonly string[]
  /** The title without its citation. Values that a table fills in are shown as `…`. */
  readonly text: string
}

/** A call or a property, then a string that starts with ids and a colon; the number of a trace may follow an id (`T1 20`): `test('L1 S8: …'`, `])('S4: …'`, `title: 'S3, L2: …'`. */
const TITLE =
  /(?:([\w.]+|[)\]])\(|\b(?:name|title):)\s*(['"`])((?:[LSOGFRIVTAP]\d+(?: \d+)?[, ]*)+): ((?:\\.|(?!\2)[^\\])+)\2/g

/** The same without ids. */
const ANY_TITLE = /(?:\b(?:test|it)(?:\.\w+)*\(|[)\]]\(|\b(?:name|title):)\s*(['"`])((?:\\.|(?!\1)[^\\])+)\1/g

/** Calls whose text is a message, not a title. */
const MESSAGE_CALL = /(?:Error|push|invariant|startsWith|includes|toContain|toThrow|toMatch)$/

/** The tests of the library and of the proof, and the conformance suite, which is exported. */
const TEST_FILES = ['packages/*/test/*.test.ts', 'proof/test/*.test.ts', 'packages/vsa/src/testing/conformance/*.ts']

/** Every test that cites a law or a rule, by file and line. The tests of this folder cite rules as examples only. */
export function testTitles(): readonly TestTitle[] {
  const tests = files(...TEST_FILES).filter((file) => !file.includes('/test/house/'))
  return tests.flatMap((file) => titlesIn(file, read(file)))
}

/** The citing titles in one file's source. */
export function titlesIn(file: string, source: string): readonly TestTitle[] {
  const titles: TestTitle[] = []
  for (const [, callee = '', , cited = '', text = ''] of source.matchAll(TITLE)) {
    if (MESSAGE_CALL.test(callee)) continue
    titles.push({ file, ids: cited.match(/[LSOGFRIVTAP]\d+/g) ?? [], text: withoutValues(text) })
  }
  return titles
}

/** Every title in one file's source, with its citation. Values that a table fills in are shown as `…`. */
export function allTitlesIn(source: string): readonly string[] {
  return [...source.matchAll(ANY_TITLE)].map(([, , title = '']) => withoutValues(title))
}

function withoutValues(text: string): string {
  return text.replace(/\$\{[^}]*\}|%[sdifjoc]|\$[a-z]\w*/g, '…').replace(/\\(.)/g, '$1')
}
