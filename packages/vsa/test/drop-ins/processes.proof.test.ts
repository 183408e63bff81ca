import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { root, temporaryFolder } from '../house/repository.ts'

const PROCESSES = 4
const LIMIT = 300
/** A period that does not end meanwhile. */
const PERIOD_S = 366 * 86_400

/** Asks both drop-ins for one key, 100 times with 8 at once, and prints how often each admitted. */
const PROGRAM = `
import { open } from 'vsa'
import { VsaStore } from 'vsa/express-rate-limit'
import { RateLimiterVsa } from 'vsa/rate-limiter-flexible'
import { sqlite } from 'vsa/sqlite'

const vsa = open({ store: sqlite('limits.db'), deadlineMs: 60_000 })
const store = new VsaStore(vsa)
store.init({ windowMs: ${PERIOD_S * 1_000}, limit: ${LIMIT} })
const limiter = new RateLimiterVsa({ vsa, points: ${LIMIT}, duration: ${PERIOD_S} })
const hit = async () => (await store.increment('ada')).totalHits <= ${LIMIT}
const consume = () => limiter.consume('ada').then(
  () => true,
  (denied) => {
    if (denied instanceof Error) throw denied
    return false
  },
)
const admitted = [0, 0]
const caller = async () => {
  for (let call = 0; call < 100; call += 1) {
    if (await hit()) admitted[0] += 1
    if (await consume()) admitted[1] += 1
  }
}
await Promise.all(Array.from({ length: 8 }, caller))
await vsa.close()
console.log(JSON.stringify(admitted))
`

test('L1, L5: four processes on one SQLite file let exactly the limit through, by each drop-in', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))
  writeFileSync(join(folder, 'program.mjs'), PROGRAM)
  const run = async (): Promise<readonly number[]> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder })
    return JSON.parse(stdout) as readonly number[]
  }
  const admitted = await Promise.all(Array.from({ length: PROCESSES }, run))
  const sum = (at: number): number => admitted.reduce((total, one) => total + (one[at] ?? 0), 0)
  expect([sum(0), sum(1)]).toEqual([LIMIT, LIMIT])

  const vsa = open({ store: sqlite(join(folder, 'limits.db'), { thread: false }) })
  const policy = { limit: LIMIT, per: PERIOD_S * 1_000, atRisk: 3 }
  for (const key of ['express-rate-limit:ada', 'rlflx:ada'])
    expect(await vsa.budget(key, policy).peek()).toMatchObject({ used: LIMIT, burned: 0, remaining: 0 })
  await vsa.close()
})
