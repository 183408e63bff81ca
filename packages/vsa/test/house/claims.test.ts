import { describe, expect, test } from 'vitest'
import { claimsIn, sentencesOf, titlesOf } from './claims.ts'
import { files, read } from './repository.ts'

const PAGE = 'docs/claims.md'
/** Every promise of these is in the table. */
const PROMISING_PAGES = ['README.md', 'docs/policies.md', 'docs/stores.md', 'docs/architecture.md']
/** Words of a promise. A sentence of these pages that has one is in the table, or says why it is not. */
const PROMISE = /\b(never|always|at most|exactly|cannot|can only|nothing|to the unit|from none)\b/i

const claims = claimsIn(read(PAGE))
const pages = [...new Set(claims.map(({ page }) => page))]
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')

test('the table has claims of the README and of the pages in docs', () => {
  expect(claims.length).toBeGreaterThan(50)
  expect(pages).toContain('README.md')
})

describe.each(pages)('%s', (page) => {
  const text = oneLine(read(page))
  const ofPage = claims.filter((claim) => claim.page === page)

  // Not `toContain`, which prints the whole page.
  test.each(ofPage.map(({ claim }) => claim))('still says: %s', (claim) => {
    expect({ claim, isSaid: text.includes(claim) }).toEqual({ claim, isSaid: true })
  })

  test.each(ofPage.flatMap(({ tests }) => tests))('is tested by $file: $title', ({ file, title }) => {
    expect(files(file)).toEqual([file])
    expect(titlesOf(file)).toContain(title)
  })
})

test('every claim has a test, or says why it has none', () => {
  expect(claims.filter(({ tests, reason }) => tests.length === 0 && reason === '').map(({ claim }) => claim)).toEqual(
    [],
  )
})

test.each(PROMISING_PAGES)('every sentence of %s that promises something is in the table', (promising) => {
  const known = claims.filter(({ page }) => page === promising).map(({ claim }) => claim)
  const promises = sentencesOf(read(promising)).filter((sentence) => PROMISE.test(sentence))
  expect(promises.length).toBeGreaterThan(2)
  const unknown = promises.filter(
    (sentence) => !known.some((claim) => sentence.includes(claim) || claim.includes(sentence)),
  )
  expect(unknown).toEqual([])
})

test('claims, titles and sentences are read as they are written', () => {
  const page = [
    '## README.md',
    '| claim | tests |',
    '| ----- | ----- |',
    '| Never more than **one**. | [a.test](../x/a.test.ts): L1: of … units, `a\\|b`<br>[b.test](../x/b.test.ts): b |',
    '| It is free. | no test: prices are not checked |',
  ].join('\n')
  expect(claimsIn(page)).toEqual([
    {
      page: 'README.md',
      claim: 'Never more than **one**.',
      tests: [
        { file: 'x/a.test.ts', title: 'L1: of … units, `a|b`' },
        { file: 'x/b.test.ts', title: 'b' },
      ],
      reason: '',
    },
    { page: 'README.md', claim: 'It is free.', tests: [], reason: 'prices are not checked' },
  ])
  expect(
    sentencesOf(
      '# Title\n\n```js\nnever()\n```\n\nOne. Two,\nand `three.` Four.\n\n| a | It never b |\n| --- | --- |\n- Five',
    ),
  ).toEqual(['# Title', 'One.', 'Two, and `three.`', 'Four.', 'a', 'It never b', '- Five'])
})
