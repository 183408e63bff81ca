import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root, temporaryFolder } from '../house/repository.ts'

const folder = temporaryFolder()
const dist = join(root, 'packages/vsa/dist')

/** 400 hits of each of 20 keys, and how many were admitted. */
const APP = `
import { open } from ${JSON.stringify(join(dist, 'index.js'))}
import { sqlite } from ${JSON.stringify(join(dist, 'stores/sqlite/index.js'))}
import { throttlerStorage } from ${JSON.stringify(join(dist, 'nestjs-throttler/index.js'))}

const vsa = open({ store: sqlite('throttler.db') })
const storage = throttlerStorage(vsa)
const hits = []
for (let hit = 0; hit < 400; hit += 1) {
  for (let key = 0; key < 20; key += 1) hits.push(storage.increment('ip ' + key, 86_400_000 * 365, 500, 0, 'default').then((record) => [key, record.isBlocked]))
  if (hit % 20 === 0) await hits.at(-1)
}
const admitted = Array.from({ length: 20 }, () => 0)
for (const [key, isBlocked] of await Promise.all(hits)) if (!isBlocked) admitted[key] += 1
await vsa.close()
console.log(JSON.stringify(admitted))
`

test('L1 L5: four processes on one file admit each key as often as its limit says, to the hit', async () => {
  writeFileSync(join(folder, 'app.mjs'), APP)
  const runs = await Promise.all(
    [1, 2, 3, 4].map(() => promisify(execFile)(process.execPath, ['app.mjs'], { cwd: folder })),
  )
  const admitted = runs.map(({ stdout }) => JSON.parse(stdout) as number[])
  const sums = Array.from({ length: 20 }, (_, key) => admitted.reduce((sum, counts) => sum + (counts[key] ?? 0), 0))
  expect(sums).toEqual(Array.from({ length: 20 }, () => 500))
})
