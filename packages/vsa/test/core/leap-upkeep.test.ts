import { expect, test } from 'vitest'
import type { Batch } from '../../src/core/exchange.ts'
import type { Store } from '../../src/core/store.ts'
import { memory } from '../../src/stores/memory/index.ts'

const TEN_YEARS_MS = 10 * 365 * 86_400_000
const KEPT_MS = 120_000
const LEASE_TTL_MS = 3_000

const HOUR_MS = 3_600_000

type Caller = Pick<Batch, 'epoch' | 'token' | 'incarnation' | 'seq'>

/** A store with one row, whose retention ends {@link KEPT_MS} after the start, and the clock that it goes by. */
async function withRow(): Promise<{ clock: { now: number }; start: number; store: Store; caller: Caller }> {
  const clock = { now: 1_700_000_000_000 }
  const start = clock.now
  const store = memory({ now: () => clock.now, leaseTtlMs: LEASE_TTL_MS })
  const { epoch, token, incarnation } = await store.join('a')
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
  await store.exchange({ epoch, token, incarnation, seq: 1, entries: [entry], takes: [], close: false })
  return { clock, start, store, caller: { epoch, token, incarnation, seq: 1 } }
}

/** Calls upkeep when it is due, until the row is gone. @returns how often */
async function looksUntilRemoved(store: Store, caller: Caller, clock: { now: number }): Promise<number> {
  let looks = 0
  for (; looks < 60 && (await store.list({ limit: 10 })).rows.length > 0; looks += 1)
    clock.now += (await store.upkeep?.(caller)) ?? 0
  return looks
}

test('S10: after a leap that a right clock contradicts, a quiet store still removes the rows that are due by that clock', async () => {
  const { clock, start, store, caller } = await withRow()
  clock.now = start + TEN_YEARS_MS
  await store.exchange({ ...caller, seq: 2, entries: [], takes: [], close: false })
  clock.now = start + KEPT_MS + 1
  const looks = await looksUntilRemoved(store, { ...caller, seq: 2 }, clock)
  expect(looks).toBeGreaterThan(1)
  expect(looks).toBeLessThanOrEqual((3 * LEASE_TTL_MS) / 1_000)
})

test.each([8, 11])(
  'S10: nor does a leap that was contradicted for %i s, and is not any more, hold up the removal for ever',
  async (seconds) => {
    const { clock, start, store, caller } = await withRow()
    clock.now = start + HOUR_MS + 60_000
    await store.exchange({ ...caller, seq: 2, entries: [], takes: [], close: false })
    clock.now = start + 40_000
    let seq = 2
    for (let second = 0; second < seconds; second += 1) {
      clock.now += 1_000
      await store.exchange({ ...caller, seq: (seq += 1), entries: [], takes: [], close: false })
    }
    clock.now = start + KEPT_MS + 1
    const looks = await looksUntilRemoved(store, { ...caller, seq }, clock)
    expect(looks).toBeGreaterThan(1)
    expect(looks).toBeLessThanOrEqual((3 * LEASE_TTL_MS) / 1_000)
  },
)
