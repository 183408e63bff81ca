import { expect, test } from 'vitest'
import { memory } from '../../src/stores/memory/index.ts'

const TEN_YEARS_MS = 10 * 365 * 86_400_000
const KEPT_MS = 120_000
const LEASE_TTL_MS = 3_000

test('S10: after a leap that a right clock contradicts, a quiet store still removes the rows that are due by that clock', async () => {
  let now = 1_700_000_000_000
  const start = now
  const store = memory({ now: () => now, leaseTtlMs: LEASE_TTL_MS })
  const { epoch, token } = await store.join('a')
  const policy = {
    kind: 'window',
    limit: 10,
    burnMax: 1,
    version: 1,
    endsAt: start + 250,
    keepUntil: start + KEPT_MS,
  } as const
  const entry = {
    kind: 'budget',
    key: 'b',
    period: start,
    known: false,
    policy,
    spent: 0,
    refund: 0,
    hold: 0,
    wantMs: 0,
  } as const
  await store.exchange({ epoch, token, seq: 1, entries: [entry], takes: [], close: false })
  now = start + TEN_YEARS_MS
  await store.exchange({ epoch, token, seq: 2, entries: [], takes: [], close: false })
  now = start + KEPT_MS + 1
  let looks = 0
  for (; looks < 60 && (await store.list({ limit: 10 })).rows.length > 0; looks += 1) {
    const dueInMs = await store.upkeep?.({ epoch, token, seq: 2 })
    now += dueInMs ?? 0
  }
  expect(looks).toBeGreaterThan(1)
  expect(looks).toBeLessThanOrEqual((3 * LEASE_TTL_MS) / 1_000)
})
