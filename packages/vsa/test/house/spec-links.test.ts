import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { files, read, root } from './repository.ts'

const spec = 'docs/spec.md'

/** A test cites laws and rules at the start of its name: `L1 S8: …`. Any string that starts like that in a test is a name. */
const citation = /['"`]((?:[LSOG]\d+[, ]*)+):/g

/** The conformance suite is a test that is exported. */
const tests = files('packages/vsa/test/*.ts', 'bench/test/*.ts', 'packages/vsa/src/testing/*.ts')

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

test('the specification names the tests of every law and rule (npm run spec:links writes them)', async () => {
  let id = ''
  const lines = read(spec).split('\n')
  const linked = lines.map((line) => {
    id = /^### (\S+) /.exec(line)?.[1] ?? id
    return line.startsWith('Tests:') ? `Tests: ${links(id)}`.trimEnd() : line
  })
  await expect(linked.join('\n')).toMatchFileSnapshot(join(root, spec))
})

function links(id: string): string {
  return [...(cited.get(id) ?? [])].map((file) => `[${basename(file, '.ts')}](../${file})`).join(', ')
}
