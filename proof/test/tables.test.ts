import { expect, test } from 'vitest'
import { files } from '../../packages/vsa/test/house/repository.ts'
import { AREAS, areaOf } from '../src/mutation/areas.ts'
import { canaryPage } from '../src/tables/canary-page.ts'
import { markdownTable } from '../src/tables/markdown-table.ts'
import { type AreaResult, mutantPage, scoreOf, unexplained, type MutationReport } from '../src/tables/mutant-page.ts'

const ORIGIN = { commit: 'abc1234', date: '2026-11-26' }

test('a table pads its columns to the widest cell, and escapes its separator', () => {
  expect(markdownTable(['a', 'long'], [['x|y', 'z']])).toBe(
    ['| a    | long |', '| ---- | ---- |', String.raw`| x\|y | z    |`].join('\n'),
  )
})

test('the page of canaries has a row for each canary, also for one that was not caught or has missing fields', () => {
  const page = canaryPage(
    [
      { name: 'one', rules: ['S1', 'L2'], what: 'a bug', caught: true, seeds: 3, law: 'L2', foundBy: 'simulation' },
      {
        name: 'two',
        rules: ['S7'],
        what: 'no fsync',
        caught: true,
        law: 'S7',
        laws: ['S7', 'L3'],
        foundBy: 'conformance',
      },
      { name: 'wrong-law', rules: ['O1'], caught: false, seeds: 9, law: 'L8' },
      { name: 'survivor', rules: ['O2'], seeds: null },
    ],
    [{ name: 'one', steps: 8 }],
    ORIGIN,
  )
  expect(page).toContain('at commit abc1234 on 2026-11-26: 2 of 4 canaries caught.')
  expect(cells(page)).toEqual([
    ['S1 L2', '`one`', 'a bug', 'simulation', '3', 'L2', '8'],
    ['S7', '`two`', 'no fsync', 'conformance', '', 'S7 (S7 L3)', ''],
    ['O1', '`wrong-law`', '', '**not caught**', '9', 'L8', ''],
    ['O2', '`survivor`', '', '**not caught**', '', '', ''],
  ])
})

const REPORT: MutationReport = {
  files: {
    'packages/vsa/src/core/a.ts': {
      source: 'const a = 1\nif (wished >\n  0) go()\n',
      mutants: [
        {
          status: 'Killed',
          replacement: '2',
          location: { start: { line: 1, column: 11 }, end: { line: 1, column: 12 } },
        },
        {
          status: 'Survived',
          replacement: 'wished >= 0',
          location: { start: { line: 2, column: 5 }, end: { line: 3, column: 4 } },
        },
        {
          status: 'NoCoverage',
          replacement: '',
          location: { start: { line: 3, column: 6 }, end: { line: 3, column: 10 } },
        },
      ],
    },
  },
}

const RESULT: AreaResult = { area: 'one', origin: ORIGIN, seed: 7, oneIn: 4, mutants: 12, report: REPORT }

test('the page of mutants has the score of each file, and each survivor with its reason', () => {
  const reasons = [{ code: 'wished > 0', becomes: 'wished >= 0', reason: 'a wish of 0 moves nothing' }]
  const page = mutantPage(['one', 'two'], [RESULT], reasons)
  expect(cells(page)).toEqual([
    ['one', '12', '3', '33.33', '1', '0', '1', '1', '7', 'abc1234', '2026-11-26'],
    ['two', '', 'not run', '', '', '', '', '', '', '', ''],
    ['core/a.ts', '33.33', '1', '0', '1', '1'],
    ['all', '33.33', '1', '0', '1', '1'],
    ['core/a.ts:2', '`wished > 0`', '`wished >= 0`', 'a wish of 0 moves nothing'],
    ['core/a.ts:3', '`go()`', 'nothing', '**not explained yet**'],
  ])
  expect(unexplained([RESULT], reasons)).toEqual(['core/a.ts:3  go()  ->  '])
})

test('mutants that break the compiler are in no score', () => {
  const broken = { status: 'CompileError', location: { start: { line: 1, column: 1 }, end: { line: 1, column: 2 } } }
  expect(scoreOf({ files: { a: { source: '', mutants: [broken] } } })).toBe(100)
  expect(scoreOf(REPORT)).toBeCloseTo(100 / 3)
})

test('a reason that names a file or a change applies only to it', () => {
  const explains = (reason: object): boolean =>
    unexplained([RESULT], [{ code: 'wished > 0', reason: 'because', ...reason }]).length === 1
  expect(explains({})).toBe(true)
  expect(explains({ file: 'a.ts' })).toBe(true)
  expect(explains({ file: 'b.ts' })).toBe(false)
  expect(explains({ becomes: 'true' })).toBe(false)
})

/** The cells of every row below a table's head. */
function cells(page: string): readonly (readonly string[])[] {
  const lines = page.split('\n').filter((line) => line.startsWith('| '))
  const heads = lines.flatMap((line, index) => (line.startsWith('| -') ? [index, index - 1] : []))
  const rows = lines.filter((_, index) => !heads.includes(index))
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

test('the core, the SQLite store and the rooms of the engine that decide what is sent and answered are in an area of the mutation tests', () => {
  const names = [
    'settlement',
    'reservations',
    'core',
    'admission',
    'accounts',
    'waiters',
    'composer',
    'fencing',
    'flusher',
    'answers',
    'session',
    'sqlite',
  ]
  expect(AREAS.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
  expect(areaOf('core/reservations/takes.ts')?.name).toBe('reservations')
  expect(areaOf('core/settle-entry.ts')?.name).toBe('settlement')
  expect(areaOf('engine/admission/waterfalls.ts')?.name).toBe('admission')
  // The rest is what docs/testing.md says is not mutated.
  const source = 'packages/vsa/src'
  const paths = files(...['core', 'engine', 'stores/sqlite'].map((folder) => `${source}/${folder}/*.ts`))
  const outside = paths
    .map((path) => path.slice(source.length + 1))
    .filter((path) => areaOf(path) === undefined)
    .map((path) => path.slice(0, path.lastIndexOf('/')))
  expect(paths.length).toBeGreaterThan(200)
  expect([...new Set(outside)].toSorted()).toEqual([
    'engine',
    'engine/api',
    'engine/budget',
    'engine/counters',
    'engine/runtime',
    'stores/sqlite/thread',
  ])
})
