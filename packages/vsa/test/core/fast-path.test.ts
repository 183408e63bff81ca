import { expect, test } from 'vitest'
import type { Exchanged, StoreAdapter } from '../../src/core/adapter.ts'
import { changedAdapter } from '../../src/core/changed-adapter.ts'
import { ONE_INCARNATION } from '../../src/core/life.ts'
import { storeFrom } from '../../src/store-from.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { LEASE_TTL_MS } from './books-fixture.ts'

const UPKEEP_EVERY_MS = 100

/** An adapter whose fast path says what it is told to, and which counts its upkeeps. */
function scripted(
  says: { decided: Exchanged | null },
  now: () => number,
): { adapter: StoreAdapter; upkeeps: () => number } {
  const memory = new MemoryAdapter(now, LEASE_TTL_MS)
  let upkeeps = 0
  const adapter = changedAdapter(memory, {
    exchangePlain: () => says.decided,
    loadUpkeep: (bounds) => {
      upkeeps += 1
      return memory.loadUpkeep(bounds)
    },
  })
  return { adapter, upkeeps: () => upkeeps }
}

test('S8: an upkeep is left out while the fast path finds nothing to do, and not once it decides no more', async () => {
  let now = 1_000_000
  const says: { decided: Exchanged | null } = { decided: null }
  const { adapter, upkeeps } = scripted(says, () => now)
  const store = storeFrom(adapter, { now: () => now, upkeepEveryMs: UPKEEP_EVERY_MS })
  const { epoch, token } = await store.join('test')
  const send = async (seq: number, decided: Exchanged['isUpkeepDue'] | null): Promise<number> => {
    now += UPKEEP_EVERY_MS
    const written = { records: 0, leaseRecords: 0 }
    const answer = {
      kind: 'applied',
      time: now,
      expiresAt: now,
      entries: [],
      granted: [],
      wanted: [],
      written,
      frozenUntil: 0,
    } as const
    says.decided =
      decided === null ? null : { time: now, timeSeen: now, clock: now, made: 0, isUpkeepDue: decided, answer }
    const before = upkeeps()
    await store.exchange({ epoch, token, incarnation: ONE_INCARNATION, seq, entries: [], takes: [], close: false })
    return upkeeps() - before
  }
  expect(await send(1, false)).toBe(1)
  expect(await send(1, false)).toBe(0)
  // It found something: the next exchange does it first.
  expect(await send(1, true)).toBe(0)
  expect(await send(1, false)).toBe(1)
  // The general path decided: what is due is not known.
  expect(await send(1, null)).toBe(0)
  expect(await send(1, null)).toBe(1)
  expect(await send(1, null)).toBe(1)
})
