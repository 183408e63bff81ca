import { expect, it } from 'vitest'
import type { AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { Remember } from '../../src/core/reservations/messages.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { applied, batch, count, entry } from '../stores/sqlite-fixture.ts'

const START = 1_750_000_000_000
const TTL_MS = 60_000
const remember: Remember = { id: 'order 1', as: 'reservation', ttlMs: TTL_MS, onExpire: 'return' }

it('R1, V1: a waterfall is remembered under a budget whose row was not made, and the overage that it took ends with it', async () => {
  let now = START
  const store = memory({ now: () => now, upkeepEveryMs: 0 })
  const joined = await store.join('test')
  const closed = entry({ policy: { kind: 'window', limit: 5, burnMax: 5, version: 1, endsAt: 1, keepUntil: null } })
  const takes = [{ need: [[0, 2] as const, [1, 2] as const], n: 1, first: true as const, remember }]
  const asking: Partial<Batch> = { entries: [closed, count('over', 0)], takes }
  const ask = async (seq: number, content: Partial<Batch>): Promise<AppliedAnswer> =>
    applied(await store.exchange(batch(joined, seq, content)))
  expect(await ask(1, asking)).toMatchObject({ granted: [1], entries: [{ kind: 'period_closed' }, { value: 2 }] })
  const again = await ask(2, asking)
  expect(again).toMatchObject({ granted: [0], entries: [{ kind: 'period_closed' }, { value: 2 }] })
  expect(again.credits?.takes).toMatchObject({ 0: { kind: 'remembered', charged: [0, 2], repeated: true } })
  now += TTL_MS
  expect(await ask(3, { entries: [count('over', 0)] })).toMatchObject({ entries: [{ value: 0 }] })
})
