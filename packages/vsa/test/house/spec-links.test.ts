import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { SESSION_TABLE, type SessionEvent, type SessionState } from '../../src/engine/session/transition-table.ts'
import { files, read, root } from './repository.ts'

const spec = 'docs/spec.md'

/** A test cites laws and rules at the start of its name: `L1 S8: …`. Any string that starts like that in a test file is a name. */
const citation = /['"`]((?:[LSOG]\d+[, ]*)+):/g

/** The conformance suite is a test that is exported. */
const tests = files('packages/*/test/*.test.ts', 'proof/test/*.test.ts', 'packages/vsa/src/testing/conformance/*.ts')

/** The files that cite each id. */
const cited = new Map<string, Set<string>>()
for (const file of tests) {
  for (const [, ids] of read(file).matchAll(citation)) {
    for (const id of ids?.match(/[LSOG]\d+/g) ?? []) cited.set(id, (cited.get(id) ?? new Set()).add(file))
  }
}

/** The ids of the specification, each from its heading. */
const ids = [...read(spec).matchAll(/^### ([LSOG]\d+) /gm)].map(([, id]) => id ?? '')

test('the specification has every law and rule, in order', () => {
  const range = (letter: string, length: number): string[] => Array.from({ length }, (_, i) => `${letter}${i + 1}`)
  expect(ids).toEqual([...range('L', 9), ...range('S', 10), ...range('O', 13), ...range('G', 5)])
})

test('every law and rule is cited by a test', () => {
  expect(ids.filter((id) => !cited.has(id))).toEqual([])
})

test('every id that a test cites is in the specification', () => {
  const unknown = [...cited]
    .filter(([id]) => !ids.includes(id))
    .map(([id, where]) => `${id} in ${[...where].join(', ')}`)
  expect(unknown).toEqual([])
})

test('the specification is up to date with the tests and with the code (npm run spec:links)', async () => {
  let id = ''
  const lines = read(spec).split('\n')
  const linked = lines.map((line) => {
    id = /^### (\S+) /.exec(line)?.[1] ?? id
    return line.startsWith('Tests:') ? `Tests: ${links(id)}`.trimEnd() : line
  })
  const session = /(?<=<!-- session -->\n)[^]*(?=<!-- \/session -->)/
  const written = linked.join('\n').replace(session, `\n${sessionTable()}\n`)
  await expect(written).toMatchFileSnapshot(join(root, spec))
})

function links(id: string): string {
  return [...(cited.get(id) ?? [])].map((file) => `[${basename(file, '.ts')}](../${file})`).join(', ')
}

/** The session's table, padded as the formatter wants it. */
function sessionTable(): string {
  const states = Object.keys(SESSION_TABLE) as SessionState[]
  const events = Object.keys(SESSION_TABLE.joining) as SessionEvent[]
  const cell = (state: SessionState, event: SessionEvent): string => {
    const { next, action } = SESSION_TABLE[state][event]
    return action === 'ignore' || action === 'impossible' ? action : `${action}, ${next}`
  }
  const head = ['event', ...states]
  const rows = events.map((event) => [`\`${event}\``, ...states.map((state) => cell(state, event))])
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: string[], fill: string): string =>
    `|${cells.map((text, column) => ` ${text.padEnd(widths[column] ?? 0, fill)} `).join('|')}|\n`
  return [
    line(head, ' '),
    line(
      head.map(() => ''),
      '-',
    ),
    ...rows.map((row) => line(row, ' ')),
  ].join('')
}
