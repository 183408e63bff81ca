import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './repository.ts'

/** Every store has these, so that a new one is reviewed by comparing names. */
const FILES = ['adapter.ts', 'index.ts', 'list.ts', 'load.ts', 'rows.ts', 'save.ts']

const stores = join(root, 'packages/vsa/src/stores')

test.each(readdirSync(stores))('the store %s has the same file names as every other', (store) => {
  expect(readdirSync(join(stores, store))).toEqual(expect.arrayContaining(FILES))
})
