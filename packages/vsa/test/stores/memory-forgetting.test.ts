import { describe, expect, it, test } from 'vitest'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { MemoryPast } from '../../src/stores/memory/past.ts'
import { forgettingMemory, manualClock, storeConformance } from '../../src/testing/index.ts'
import { rounds } from '../rounds.ts'

storeConformance(
  'memory that may forget',
  ({ now, leaseTtlMs }) => {
    const past = new MemoryPast()
    const store = new MemoryAdapter(now, leaseTtlMs, past)
    const startLosing = (): (() => void) => {
      const { size } = past
      return () => void past.forget(past.size - size)
    }
    return { store, another: () => store, startLosing, dispose: async () => undefined }
  },
  { describe, it, expect },
  { forgets: true, sequences: rounds(20) },
)

test('F1, F3: forgettingMemory loses the last transactions, as many as there are, and goes on in a new incarnation', async () => {
  const clock = manualClock()
  const { store, forget } = forgettingMemory({ now: () => clock.now(), leaseTtlMs: 500 })
  const first = await store.join('a')
  expect(first).toMatchObject({ mayForget: true, frozenUntil: 0, leaseTtlMs: 500 })
  expect(forget(9)).toBe(1)
  expect(await store.owners()).toEqual([])
  const second = await store.join('b')
  expect(second.incarnation).not.toBe(first.incarnation)
  expect(second.epoch).toBe(first.epoch)
  expect(() => forget(-1)).toThrow('count must be')
  expect(() => forgettingMemory({ now: 7 as never })).toThrow('options.now')
})
