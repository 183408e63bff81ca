import { expect, test } from 'vitest'
import { type CallSettlement, meteredFetch } from '../../src/openai/index.ts'
import { bench } from '../engine/fixture.ts'
import { chatRequest } from './answers.ts'

test('a failed attempt that waits for the next one when the engine closes stays charged with all that was reserved', async () => {
  const { owner, clock } = bench()
  const { vsa } = owner()
  const settlements: CallSettlement[] = []
  const fetch = meteredFetch({
    budget: vsa.budget('ada', { initial: 1_000 }),
    clock,
    onSettled: (settlement) => settlements.push(settlement),
    fetch: async () => new Response('{}', { status: 500 }),
  })
  const [url, init] = chatRequest()
  await fetch(url, { ...init, headers: { 'x-stainless-retry-count': '0' } })
  await vsa.close()
  expect(settlements).toEqual([])
  const { used, reserved, remaining } = await owner().vsa.budget('ada', { initial: 1_000 }).peek()
  expect(used + reserved).toBeGreaterThan(200)
  expect(used + reserved + remaining).toBe(1_000)
  // Its timer is still there, and tells of it.
  await clock.advance(65_000)
  expect(settlements).toMatchObject([{ outcome: 'failed', usedUnits: 0, error: { code: 'closed' } }])
  expect(settlements[0]?.reservedUnits).toBe(used + reserved)
})
