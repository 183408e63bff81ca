import { expect, onTestFinished, test } from 'vitest'
import { throttlerStorage, type ThrottlerStorage } from '../../src/nestjs-throttler/index.ts'
import { open, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'

const MINUTE_MS = 60_000

function app(): { readonly vsa: Vsa; readonly storage: ThrottlerStorage } {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock, onEvent: () => undefined })
  onTestFinished(() => vsa.close())
  return { vsa, storage: throttlerStorage(vsa, { now: () => clock.now() }) }
}

test('keys of 100 kB, empty ones, and those that are not well formed are counted, each by itself', async () => {
  const { storage } = app()
  const long = 'k'.repeat(100_000)
  for (const key of [long, `${long}2`, '', '\u{d800}', ':', '\u{0}']) {
    expect(await storage.increment(key, MINUTE_MS, 1, 0, 'default')).toMatchObject({ totalHits: 1, isBlocked: false })
    expect(await storage.increment(key, MINUTE_MS, 1, 0, 'default')).toMatchObject({ isBlocked: true })
  }
})

test.each<[string, Parameters<ThrottlerStorage['increment']>]>([
  ['limit of NaN', ['ada', MINUTE_MS, Number.NaN, 0, 'default']],
  ['ttl of NaN', ['ada', Number.NaN, 2, 0, 'default']],
  ['ttl of 0', ['ada', 0, 2, 0, 'default']],
  ['ttl of Infinity', ['ada', Infinity, 2, 0, 'default']],
  ['key that is no string', [JSON.parse('7') as string, MINUTE_MS, 2, 0, 'default']],
])('a %s is refused, and lets no hit through uncounted; the storage goes on', async (_what, hit) => {
  const { vsa, storage } = app()
  await expect(storage.increment(...hit)).rejects.toThrow(/must|limit|ttl|per|key/)
  expect(vsa.stats()).toMatchObject({ admittedUnits: 0 })
  expect(await storage.increment('ada', MINUTE_MS, 2, 0, 'default')).toMatchObject({ totalHits: 1, isBlocked: false })
  expect(await storage.increment('ada', MINUTE_MS, 2, 0, 'default')).toMatchObject({ totalHits: 2, isBlocked: false })
  expect(await storage.increment('ada', MINUTE_MS, 2, 0, 'default')).toMatchObject({ isBlocked: true })
})

test('a limit below 0 blocks every hit, as one of 0 does', async () => {
  const { vsa, storage } = app()
  expect(await storage.increment('ada', MINUTE_MS, -1, 0, 'default')).toMatchObject({ totalHits: 1, isBlocked: true })
  expect(vsa.stats()).toMatchObject({ admittedUnits: 0 })
})
