import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { files, read, root } from './repository.ts'

/** Every store has these, so that a new one is reviewed by comparing names. */
const FILES = ['adapter.ts', 'index.ts', 'list.ts', 'load.ts', 'rows.ts', 'save.ts']

const stores = join(root, 'packages/vsa/src/stores')

test('every store is tried by the conformance suite', () => {
  const tried = (store: string): boolean => {
    const tests = files(`packages/vsa/test/stores/${store}*conformance*.test.ts`)
    return tests.some((file) => read(file).includes('storeConformance('))
  }
  expect(readdirSync(stores).filter((store) => !tried(store))).toEqual([])
})

test.each(readdirSync(stores))('the store %s has the same file names as every other', (store) => {
  expect(readdirSync(join(stores, store))).toEqual(expect.arrayContaining(FILES))
})
