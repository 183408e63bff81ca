import { expect, test } from 'vitest'
import { manualClock } from '../../src/testing/manual-clock.ts'

test('time stands still until it is advanced, then wall and monotonic time move alike', async () => {
  const clock = manualClock({ start: 5_000 })
  expect([clock.now(), clock.monotonic()]).toEqual([5_000, 0])
  await clock.advance(250)
  expect([clock.now(), clock.monotonic()]).toEqual([5_250, 250])
})

test('a jump of the wall clock leaves monotonic time and timers alone', async () => {
  const clock = manualClock({ start: 5_000 })
  let fired = 0
  clock.timer(10, () => fired++)
  clock.jumpWall(-3_000)
  await clock.settle()
  expect([clock.now(), clock.monotonic(), fired]).toEqual([2_000, 0, 0])
  await clock.advance(10)
  expect([clock.now(), clock.monotonic(), fired]).toEqual([2_010, 10, 1])
})

test('timers fire in the order of their times, then of their creation, each at its own time', async () => {
  const clock = manualClock({ start: 0 })
  const seen: string[] = []
  const note = (name: string) => (): void => void seen.push(`${name}@${clock.now()}`)
  clock.timer(20, note('c'))
  clock.timer(10, note('a'))
  clock.timer(10, note('b'))
  clock.timer(21, note('late'))
  await clock.advance(20)
  expect(seen).toEqual(['a@10', 'b@10', 'c@20'])
  expect(clock.timers).toBe(1)
})

test('a cancelled timer never fires, not even when an earlier one of the same time cancels it', async () => {
  const clock = manualClock()
  const seen: string[] = []
  clock.timer(5, () => {
    seen.push('first')
    second.cancel()
  })
  const second = clock.timer(5, () => seen.push('second'))
  await clock.advance(5)
  second.cancel()
  expect(seen).toEqual(['first'])
})

test('what a timer starts finishes before the next timer fires: promises, soon, and a store of several macrotasks', async () => {
  const clock = manualClock({ start: 0 })
  const seen: string[] = []
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const slowly = async (): Promise<void> => {
    await turn()
    await turn()
    clock.soon(() => seen.push(`soon@${clock.now()}`))
    await turn()
    await turn()
    seen.push(`slow@${clock.now()}`)
    clock.timer(1, () => seen.push(`made later@${clock.now()}`))
  }
  const started: Promise<void>[] = []
  clock.timer(1, () => started.push(slowly()))
  clock.timer(3, () => seen.push(`next@${clock.now()}`))
  await clock.advance(10)
  expect(seen).toEqual(['soon@1', 'slow@1', 'made later@2', 'next@3'])
  await Promise.all(started)
})

test('soon runs without advance, after the promises of the turn', async () => {
  const clock = manualClock()
  const seen: string[] = []
  const done = new Promise<void>((resolve) => {
    clock.soon(() => {
      seen.push('soon')
      resolve()
    })
  })
  const promise = Promise.resolve().then(() => seen.push('promise'))
  await Promise.all([done, promise])
  expect(seen).toEqual(['promise', 'soon'])
})

test('a timer of 0 ms fires when the clock settles; a periodic one fires once each period', async () => {
  const clock = manualClock()
  let zero = 0
  let ticks = 0
  clock.timer(0, () => zero++)
  const tick = (): void => {
    ticks++
    clock.timer(100, tick)
  }
  clock.timer(100, tick)
  await clock.settle()
  expect([zero, ticks]).toEqual([1, 0])
  await clock.advance(1_000)
  expect(ticks).toBe(10)
})

test('concurrent advances and invalid times are refused', async () => {
  const clock = manualClock()
  const first = clock.advance(10)
  await expect(clock.advance(10)).rejects.toThrow(/await each call/)
  await first
  await expect(clock.advance(-1)).rejects.toThrow(RangeError)
  await expect(clock.advance(Number.NaN)).rejects.toThrow(RangeError)
  expect(clock.monotonic()).toBe(10)
})

test('a program that never becomes idle is an error', async () => {
  const clock = manualClock()
  let stopped = false
  const again = (): void => {
    if (!stopped) clock.soon(again)
  }
  again()
  await expect(clock.settle()).rejects.toThrow(/still busy/)
  stopped = true
})
