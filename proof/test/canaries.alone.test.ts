import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { CATALOGUE } from '../src/canaries/catalogue.ts'

const PROGRAM = fileURLToPath(new URL('../dist/canaries.js', import.meta.url))

interface Finding {
  readonly name: string
  readonly caught: boolean
  readonly seeds: number
  readonly law: string
  readonly laws: readonly string[]
}

let findings: readonly Finding[] = []

beforeAll(async () => {
  const stdout = await new Promise<string>((resolve) => {
    execFile(process.execPath, [PROGRAM, '--json'], { maxBuffer: 1 << 26 }, (_error, text) => resolve(text))
  })
  // Written by the same build.
  findings = JSON.parse(stdout) as readonly Finding[]
  for (const { name, caught, seeds, law } of findings)
    console.log(`canary ${name}: ${caught ? `${seeds} tries` : 'NOT CAUGHT'}, ${law}`)
})

test.each(
  CATALOGUE.map(({ rules, foundBy, what, laws, name }) => [rules.join(' '), foundBy, what, laws, name] as const),
)('%s: the %s run finds that %s, by one of %s', (_rules, _foundBy, _what, laws, name) => {
  const finding = findings.find((each) => each.name === name)
  expect(finding).toMatchObject({ name, caught: true })
  expect(laws).toContain(finding?.law)
})

test('every canary has a name and a bug of its own', () => {
  expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length)
  expect(new Set(CATALOGUE.map(({ file, find, replace }) => [file, find, replace].join('\n'))).size).toBe(
    CATALOGUE.length,
  )
})
