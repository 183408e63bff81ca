import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runNode } from '../src/proof/programs.ts'

const PROGRAM = fileURLToPath(new URL('../dist/chaos.js', import.meta.url))

test.each([
  ['--seconds', '0'],
  ['--minutes', 'soon'],
  ['--kills', '0'],
  ['--processes', '0.5'],
])('an invalid %s is refused, and the error names it', async (name, value) => {
  const { code, stderr } = await runNode([PROGRAM, name, value])
  expect([code, stderr]).toEqual([2, expect.stringContaining(name)])
})
