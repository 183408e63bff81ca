import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { files, read, root } from './repository.ts'

/** Lines that are only in the second file. */
function changedLines(before: string, after: string): { readonly added: number; readonly removed: number } {
  const lines = (path: string): readonly string[] => read(path).trimEnd().split('\n')
  const [from, to] = [lines(before), lines(after)]
  const same = commonLines(from, to)
  return { added: to.length - same, removed: from.length - same }
}

/** The length of the longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): number {
  let row = b.map(() => 0)
  for (const line of a) {
    const next: number[] = []
    for (const [at, other] of b.entries())
      next.push(line === other ? (row[at - 1] ?? 0) + 1 : Math.max(row[at] ?? 0, next[at - 1] ?? 0))
    row = next
  }
  return row.at(-1) ?? 0
}

test('the app of credits-below-zero has fewer than ten changed lines', () => {
  const folder = 'examples/credits-below-zero'
  const { added, removed } = changedLines(`${folder}/app-before.js`, `${folder}/app-after.js`)
  expect(added).toBeGreaterThan(3)
  expect(Math.max(added, removed)).toBeLessThan(10)
})

const names = [...new Set(files('examples/*/*.js').map((path) => path.split('/')[1] ?? ''))]

test('each example has its two programs and a README that names them', () => {
  expect(names).toEqual(['credits-below-zero', 'five-agents', 'five-hundred-seats'])
  for (const name of names) {
    const folder = `examples/${name}`
    for (const program of ['before.js', 'after.js']) expect(existsSync(join(root, folder, program))).toBe(true)
    expect(read(`${folder}/README.md`)).toContain(`npm run example -- ${name}`)
  }
})

test('the programs import the package as a user does, and those without VSA do not', () => {
  for (const path of files('examples/*/*.js')) {
    const imported = [...read(path).matchAll(/from '([^']+)'/g)].map(([, from = '']) => from)
    expect(
      imported.filter((from) => !/^(?:vsa|vsa\/sqlite|libsql|node:[a-z_]+|\.\.?\/[a-z-]+\.js)$/.test(from)),
    ).toEqual([])
    if (path.includes('before')) expect(imported.filter((from) => from.startsWith('vsa'))).toEqual([])
  }
})

test('npm run example names the programs that there are', () => {
  const run = (): string =>
    execFileSync(process.execPath, [join(root, 'examples/run.js')], { stdio: 'pipe' }).toString()
  expect(run).toThrow(names.join(' | '))
})
