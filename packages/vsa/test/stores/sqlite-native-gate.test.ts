import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { GATE_BYTES, keepOutside, nativeGate, OPEN_GATE } from '../../src/stores/sqlite/client/native-gate.ts'

/* No thread: what one would wait for is an error here. */

const OUTSIDE = 0
const INSIDE = 1
const LEAVING = 2
const STOPPED = 3

interface Cell {
  readonly buffer: SharedArrayBuffer
  value(): number
}

function cellOf(value: number): Cell {
  const buffer = new SharedArrayBuffer(GATE_BYTES)
  const cell = new Int32Array(buffer)
  cell[0] = value
  return { buffer, value: () => cell[0] ?? -1 }
}

/** @param answer of the wait; an error ends a wait that has no end */
function onWait(answer: (value: number, waitMs?: number) => 'ok' | 'timed-out'): void {
  const spy = vi.spyOn(Atomics, 'wait').mockImplementation((_, __, value, waitMs) => answer(Number(value), waitMs))
  onTestFinished(() => spy.mockRestore())
}

describe('the gate of native code', () => {
  it('is passed in and out while the process goes on', () => {
    const cell = cellOf(OUTSIDE)
    const gate = nativeGate(cell.buffer)
    gate.enter()
    expect(cell.value()).toBe(INSIDE)
    gate.leave()
    expect(cell.value()).toBe(OUTSIDE)
    expect([OPEN_GATE.enter(), OPEN_GATE.leave()]).toEqual([undefined, undefined])
  })

  it.each([
    ['outside, does not enter', 'enter', STOPPED],
    ['inside, leaves and does not come back', 'leave', LEAVING],
  ] as const)('once the process exits, a thread that is %s: it stops for ever, and says so', (_, step, value) => {
    const cell = cellOf(value)
    const notify = vi.spyOn(Atomics, 'notify')
    onTestFinished(() => notify.mockRestore())
    let waits = 0
    onWait((stopped, waitMs) => {
      expect([stopped, waitMs, cell.value()]).toEqual([STOPPED, undefined, STOPPED])
      waits += 1
      if (waits === 3) throw new Error('ended')
      return 'ok'
    })
    expect(() => nativeGate(cell.buffer)[step]()).toThrow('ended')
    expect(notify).toHaveBeenCalledTimes(1)
  })

  it('is closed at once for a thread outside, and stays closed', () => {
    const cell = cellOf(OUTSIDE)
    expect([keepOutside(cell.buffer, 600_000), cell.value()]).toEqual([true, STOPPED])
    expect([keepOutside(cell.buffer, 600_000), cell.value()]).toEqual([true, STOPPED])
  })

  it.each([
    ['leaves', 'ok', true],
    ['does not leave in time', 'timed-out', false],
  ] as const)('is closed for a thread inside once it %s', (_, answer, is) => {
    const cell = cellOf(INSIDE)
    onWait((value, waitMs) => {
      expect([value, waitMs, cell.value()]).toEqual([LEAVING, 50, LEAVING])
      return answer
    })
    expect(keepOutside(cell.buffer, 50)).toBe(is)
  })

  it('is closed at once for a thread that leaves in this moment', () => {
    const cell = cellOf(INSIDE)
    const spy = vi.spyOn(Atomics, 'compareExchange').mockImplementationOnce(() => {
      new Int32Array(cell.buffer)[0] = OUTSIDE
      return BigInt(INSIDE)
    })
    onTestFinished(() => spy.mockRestore())
    expect([keepOutside(cell.buffer, 50), cell.value()]).toEqual([true, STOPPED])
  })
})
