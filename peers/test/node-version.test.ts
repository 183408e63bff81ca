import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isTooOld } from '../node-version.ts'

test('the files that need Node 22 are not left out', ({ skip }) => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.node22.test.ts'))
  const reason = `Node ${process.version} is too old for ${files.join(', ')}`
  // A developer may have Node 20. In CI all of them run.
  if (process.env['CI'] !== 'true') skip(isTooOld, reason)
  expect({ isTooOld, reason: isTooOld ? reason : '' }).toEqual({ isTooOld: false, reason: '' })
})
