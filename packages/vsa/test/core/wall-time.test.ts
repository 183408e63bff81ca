import { describe, expect, test } from 'vitest'
import { WallTime } from '../../src/core/wall-time.ts'
import { manualClock } from '../../src/testing/index.ts'

describe('lengths of time in a store', () => {
  test.each([
    ['the clock of an engine', manualClock()],
    ['the clocks of the machine', null],
  ])('are measured by %s that is never set', async (_name, clock) => {
    const machine = { now: () => 7_000, monotonic: () => 5 }
    const time = new WallTime(undefined, machine)
    if (clock !== null) time.useClock(clock)
    const source = clock ?? machine
    expect([time.steady(), time.now()]).toEqual([source.monotonic(), source.now()])
    expect(time.steady()).not.toBe(time.now())
  })

  test('a store with a source of its own has no other', () => {
    const time = new WallTime(() => 9, manualClock())
    expect([time.steady(), time.now()]).toEqual([9, 9])
  })
})
