import { expect, test } from 'vitest'
import { withSection } from '../../../../bench/src/page/section.ts'
import { apart } from '../../../../bench/src/page/plots/labels.ts'
import { read } from '../house/repository.ts'

const COMMAND = /`npm run bench[^`]*`/
const TABLE_RULE = /^\| -+ /
/** A line of a table or of a plot. */
const FIGURE = /^(\||<)/

/** Tables and plots, each with the text since the figure before it. */
function figuresIn(page: string): readonly { readonly first: string; readonly before: string }[] {
  const figures: { first: string; before: string }[] = []
  let before = ''
  let isInside = false
  for (const line of page.split('\n')) {
    const isFigure = FIGURE.test(line) && !line.startsWith('<!--')
    if (isFigure && !isInside) {
      figures.push({ first: line, before })
      before = ''
    } else if (!isFigure) before += `${line.trim()}\n`
    isInside = isFigure || (isInside && line.startsWith('  <'))
  }
  return figures
}

test('every table and plot of docs/benchmarks.md names its command', () => {
  const figures = figuresIn(read('docs/benchmarks.md'))
  expect(figures.length).toBeGreaterThan(5)
  expect(figures.filter(({ before }) => !COMMAND.test(before)).map(({ first }) => first)).toEqual([])
})

test('every table of docs/benchmarks.md is one: a heading, a rule, and lines of as many cells', () => {
  const lines = read('docs/benchmarks.md').split('\n')
  const widths = lines.map((line) => (line.startsWith('|') ? line.split('|').length : 0))
  const rules = lines.filter((line) => TABLE_RULE.test(line))
  expect(rules.length).toBeGreaterThan(5)
  expect(
    lines.filter((_, at) => widths[at] !== 0 && at > 0 && widths[at - 1] !== 0 && widths[at] !== widths[at - 1]),
  ).toEqual([])
})

test('a figure without its command is found', () => {
  const page = 'By `npm run bench`:\n\n| a |\n| - |\n| 1 |\n\nAnd more:\n\n| b |\n| - |\n'
  expect(
    figuresIn(page)
      .filter(({ before }) => !COMMAND.test(before))
      .map(({ first }) => first),
  ).toEqual(['| b |'])
})

test('the marked section of a page is replaced, and nothing else', () => {
  const page = 'before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n'
  expect(withSection(page, 'bench', 'new')).toBe('before\n<!-- bench: begin -->\n\nnew\n\n<!-- bench: end -->\nafter\n')
  expect(() => withSection('no marks', 'bench', 'new')).toThrow('the page has no marks')
})

test('labels of a plot are moved apart, and stay on it', () => {
  const heightPx = 100
  const labels = apart(
    [1, 1, 10, 10, 10].map((y) => ({ text: String(y), color: 'red', y })),
    [1, 10],
    heightPx,
  )
  const places = labels.map(({ y }) => heightPx * Math.log10(y)).toSorted((a, b) => a - b)
  for (const [at, place] of places.entries()) {
    expect(place).toBeGreaterThan(-1)
    expect(place).toBeLessThan(heightPx + 1)
    if (at > 0) expect(place - (places[at - 1] ?? 0)).toBeGreaterThan(14)
  }
})
