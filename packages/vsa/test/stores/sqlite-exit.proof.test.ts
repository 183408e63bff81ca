import { expect, it } from 'vitest'
import { endsOf, EXITS } from './sqlite-exits.ts'

it.each(EXITS)('60 processes that exit %s end with their own code', async (_, source) => {
  expect(await endsOf(source, 60)).toEqual(new Set([7]))
})
