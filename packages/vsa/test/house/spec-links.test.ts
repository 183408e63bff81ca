import { join } from 'node:path'
import { format } from 'oxfmt'
import { expect, test } from 'vitest'
import { SESSION_TABLE, type SessionEvent, type SessionState } from '../../src/engine/session/transition-table.ts'
import { files, read, root } from './repository.ts'
import { linkTargets, ruleTests } from './rule-tests.ts'
import { testTitles, titlesIn } from './test-titles.ts'

const SPEC = 'docs/spec.md'
const titles = testTitles()

/** The ids of the specification, each from its heading. */
const ids = [...read(SPEC).matchAll(/^### ([LSOGFRIVTAP]\d+) /gm)].map(([, id]) => id ?? '')

test('the specification has every law and rule, in order', () => {
  const range = (letter: string, length: number): string[] => Array.from({ length }, (_, i) => `${letter}${i + 1}`)
  const laws = [...range('L', 9), ...range('S', 10), ...range('O', 13), ...range('G', 5), ...range('F', 11)]
  const credits = [...range('R', 9), ...range('I', 2), ...range('V', 3), ...range('T', 1), ...range('A', 4)]
  const policies = range('P', 9)
  expect(ids).toEqual([...laws, ...credits, ...policies])
})

test('every law and rule has a test whose title cites it', () => {
  const cited = new Set(titles.flatMap((title) => title.ids))
  expect(ids.filter((id) => !cited.has(id))).toEqual([])
})

test('every id that a title cites is in the specification', () => {
  const unknown = titles.filter((title) => title.ids.some((id) => !ids.includes(id)))
  expect(unknown).toEqual([])
})

test('every law and rule of the specification has a block for its tests', () => {
  const places = [...read(SPEC).matchAll(/^<!-- tests (\S+) -->$/gm)].map(([, id]) => id)
  expect(places).toEqual(ids)
})

test('the specification matches the tests and the code (npm run spec:links)', async () => {
  const tests = /(?<=<!-- tests (\S+) -->\n)[^]*?(?=<!-- \/tests -->)/g
  const session = /(?<=<!-- session -->\n)[^]*(?=<!-- \/session -->)/
  const written = read(SPEC)
    .replace(tests, (_, id: string) => `\n${ruleTests(id, titles)}\n\n`)
    .replace(/(?<=<!-- links -->\n)[^]*/, () => `\n${linkTargets(titles)}\n`)
    .replace(session, () => `\n${sessionSource()}\n\n${sessionTable()}\n\n`)
  const { code } = await format(SPEC, written, JSON.parse(read('.oxfmtrc.json')) as Record<string, unknown>)
  await expect(code).toMatchFileSnapshot(join(root, SPEC))
})

test('titles are found in calls and tables, and messages are ignored', () => {
  const source = `
    test('L1, S8: a \\'dead\\' lease', () => {})
    test.each([1])("G1: units %s of \${n}", () => {})
    test(
      \`O2 O5: $state meets it\`, () => {})
    throw new Error('L2: broken')
    broken.push('L4: above')
    const row = ['L3:', 'L3: in a table of data']`
  expect(titlesIn('a.test.ts', source)).toEqual([
    { file: 'a.test.ts', ids: ['L1', 'S8'], text: `a 'dead' lease` },
    { file: 'a.test.ts', ids: ['G1'], text: 'units … of …' },
    { file: 'a.test.ts', ids: ['O2', 'O5'], text: '… meets it' },
  ])
})

test('a rule lists the titles that cite it first, from as many files as possible, and counts the others', () => {
  const of = (file: string, cited: string, text: string) => ({ file, ids: cited.split(' '), text })
  const many = Array.from({ length: 9 }, (_, i) => of('b/b.test.ts', 'S1', `b${i}`))
  const text = ruleTests('S1', [...many, of('a/a.test.ts', 'S1 L1', 'a_1 `x_y`'), of('a/a.test.ts', 'L1 S1', 'a2')])
  expect(text).toContain('<summary>11 tests</summary>')
  expect(text).toContain('- [a/a.test]\n  - a\\_1 `x_y`\n- [b/b.test]\n  - b0\n')
  expect(text).toContain('- 3 more in [a/a.test] (1), [b/b.test] (2)')
})

/** Links the file that has the table, wherever it is. */
function sessionSource(): string {
  const file = files('packages/vsa/src/engine/*.ts').find((path) => read(path).includes('export const SESSION_TABLE'))
  return `The source is [the code's own table](../${file}).`
}

function sessionTable(): string {
  const states = Object.keys(SESSION_TABLE) as SessionState[]
  const events = Object.keys(SESSION_TABLE.joining) as SessionEvent[]
  const cell = (state: SessionState, event: SessionEvent): string => {
    const { next, action } = SESSION_TABLE[state][event]
    return action === 'ignore' || action === 'impossible' ? action : `${action}, ${next}`
  }
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rows = events.map((event) => line([`\`${event}\``, ...states.map((state) => cell(state, event))]))
  return [line(['event', ...states]), line(['event', ...states].map(() => '---')), ...rows].join('\n')
}
