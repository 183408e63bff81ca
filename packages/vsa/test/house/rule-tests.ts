import { basename, dirname } from 'node:path'
import type { TestTitle } from './test-titles.ts'

/** Titles that are written under one rule. The others are counted, with links to their files. */
const SHOWN_MAX = 8

/** The block under a rule in `docs/spec.md`: the titles of its tests, by file, collapsed. */
export function ruleTests(id: string, titles: readonly TestTitle[]): string {
  const cited = titles.filter(({ ids }) => ids.includes(id))
  const shown = new Set(mostTelling(id, cited).slice(0, SHOWN_MAX))
  const lines = byFile([...shown]).map(([file, of]) => fileLines(file, of))
  const others = cited.filter((title) => !shown.has(title))
  const rest = others.length === 0 ? [] : [`- ${others.length} more in ${countsByFile(others)}`]
  const summary = `${cited.length} ${cited.length === 1 ? 'test' : 'tests'}`
  return [`<details><summary>${summary}</summary>`, '', ...lines, ...rest, '', '</details>'].join('\n')
}

/** Titles that cite the rule first come first; then one title of each file, then a second one, and so on. */
function mostTelling(id: string, cited: readonly TestTitle[]): readonly TestTitle[] {
  const seen = new Map<string, number>()
  const ranked = cited
    .map((title) => ({ title, place: title.ids.indexOf(id) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ title, place }) => {
      const turn = seen.get(title.file) ?? 0
      seen.set(title.file, turn + 1)
      return { title, place, turn }
    })
  return ranked.toSorted((a, b) => a.place - b.place || a.turn - b.turn).map(({ title }) => title)
}

function fileLines(file: string, titles: readonly TestTitle[]): string {
  return [`- ${link(file)}`, ...titles.map(({ text }) => `  - ${escaped(text)}`)].join('\n')
}

function countsByFile(titles: readonly TestTitle[]): string {
  return byFile(titles)
    .map(([file, of]) => `${link(file)} (${of.length})`)
    .join(', ')
}

function byFile(titles: readonly TestTitle[]): readonly (readonly [file: string, titles: readonly TestTitle[]])[] {
  const names = [...new Set(titles.map(({ file }) => file))].toSorted()
  return names.map((name) => [name, titles.filter(({ file }) => file === name)])
}

/** A reference link: `linkTargets` writes where it leads. */
function link(file: string): string {
  const folder = dirname(file).replace(/\/test$/, '')
  return `[${basename(folder)}/${basename(file, '.ts')}]`
}

/** The targets of all links in the blocks, for the end of the page. */
export function linkTargets(titles: readonly TestTitle[]): string {
  return byFile(titles)
    .map(([file]) => `${link(file)}: ../${file}`)
    .join('\n')
}

/** Markdown characters are escaped, except in code. */
function escaped(text: string): string {
  const parts = text.split(/(`[^`]*`)/)
  return parts.map((part, index) => (index % 2 === 1 ? part : part.replace(/[\\*_<>[\]]/g, '\\$&'))).join('')
}
