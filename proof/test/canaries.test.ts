import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { FLOCK } from '../src/canaries/flock.ts'

const PROGRAM = fileURLToPath(new URL('../dist/canaries.js', import.meta.url))

interface Caught {
  readonly name: string
  readonly seeds: number | null
  readonly law: string
}

let caught: readonly Caught[] = []

beforeAll(async () => {
  const stdout = await new Promise<string>((resolve) => {
    execFile(process.execPath, [PROGRAM, '--json'], { maxBuffer: 1 << 26 }, (_error, text) => resolve(text))
  })
  // Written by the same build.
  caught = JSON.parse(stdout) as readonly Caught[]
  for (const { name, seeds, law } of caught) console.log(`canary ${name}: ${seeds ?? 'SURVIVED'} seeds, ${law}`)
})

test.each(FLOCK.map(({ name, rules, what }) => [rules.join(' '), what, name] as const))(
  '%s: the simulation finds that %s',
  (_rules, _what, name) => {
    expect(caught.find((each) => each.name === name)?.seeds).toEqual(expect.any(Number))
  },
)

test('every canary has a name and a bug of its own', () => {
  expect(new Set(FLOCK.map(({ name }) => name)).size).toBe(FLOCK.length)
  expect(new Set(FLOCK.map(({ file, find, replace }) => [file, find, replace].join('\n'))).size).toBe(FLOCK.length)
})
