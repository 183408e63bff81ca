import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cellsLoop, cellsMixedLoop } from '../../../../bench/src/gate/bare.ts'
import { makeCells, UNITS } from '../../../../bench/src/gate/cell.ts'
import { withFixedLeases } from '../../../../bench/src/gate/fixed-lease-store.ts'
import { handlesChurnLoop, handlesLoop, handlesMixedLoop } from '../../../../bench/src/gate/vsa-loops.ts'
import { allocationOf } from '../../../../bench/src/measure/allocation.ts'
import { interleaved, ratioTo } from '../../../../bench/src/measure/interleaved.ts'
import type { Counted, Variant } from '../../../../bench/src/measure/variant.ts'
import { open, type Budget } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'

const KEYS = 128
/** `npm run bench:gate` says 0.6 to 0.7; half of that is no noise any more, but a slower gate. */
const RATIO_MIN = 0.35
/** The smallest object takes 16 bytes. */
const BYTES_MAX = 1
const SCHEDULE = { turns: 101, sliceMs: 2 }

const vsa = open({ store: withFixedLeases(memory(), UNITS), flushIntervalMs: 3_600_000 })
const family = vsa.budgets('floor', { initial: 4 * UNITS, atRisk: UNITS })
const budgets: readonly Budget[] = Array.from({ length: KEYS }, (_, index) => family.of(`tenant-${index}`))

/** A second request each, for owners that lease no sooner; then every budget has its lease, and the slow path is known to V8. */
beforeAll(async () => {
  for (let time = 0; time < 3; time += 1) await Promise.all(budgets.map((budget) => budget.admit()))
})
afterAll(() => vsa.close())

function variant(name: string, run: (rounds: number) => Counted): Variant {
  return { name, base: null, floor: null, spends: true, awaits: false, run }
}

/** How many times as fast as the other, in turns. */
async function speedOf(run: (rounds: number) => Counted, base: (rounds: number) => Counted): Promise<number> {
  const [measured, against] = await interleaved([variant('it', run), variant('base', base)], SCHEDULE)
  if (measured === undefined || against === undefined) throw new Error('two were measured')
  expect(measured.counted.admittedUnits, 'nothing was denied').toBeGreaterThanOrEqual(measured.counted.operations)
  return ratioTo(measured, against)
}

/** Bytes an operation, once the code is compiled. */
function bytesOf(run: (rounds: number) => Counted): number {
  for (let time = 0; time < 200; time += 1) run(100)
  return allocationOf(run, KEYS).bytesPerOperation
}

describe('L8: the hot path', () => {
  test('admits by handle at a third of the speed of a bare loop at least, one unit at a time', async () => {
    expect(await speedOf(handlesLoop(budgets), cellsLoop(makeCells(KEYS)))).toBeGreaterThan(RATIO_MIN)
  })

  test('admits by handle at a third of the speed of a bare loop at least, costs of 1 to 4', async () => {
    expect(await speedOf(handlesMixedLoop(budgets), cellsMixedLoop(makeCells(KEYS)))).toBeGreaterThan(RATIO_MIN)
  })

  test('allocates nothing, whether it admits or gives back', () => {
    expect(bytesOf(handlesLoop(budgets))).toBeLessThan(BYTES_MAX)
    expect(bytesOf(handlesMixedLoop(budgets))).toBeLessThan(BYTES_MAX)
    expect(bytesOf(handlesChurnLoop(budgets))).toBeLessThan(BYTES_MAX)
  })
})

describe('what the measurements can see', () => {
  const cells = makeCells(KEYS)
  let kept: object | null = null

  test('a loop that looks each cell up in a Map is below the floor', async () => {
    const byKey = new Map(cells.map((cell, index) => [`tenant-${index}`, cell]))
    const slow = (rounds: number): Counted => {
      let count = 0
      for (let round = 0; round < rounds; round += 1) {
        for (const key of byKey.keys()) {
          const cell = byKey.get(key)
          if (cell === undefined) continue
          cell.left -= 1
          count += 1
        }
      }
      return { operations: count, admittedUnits: count, refundedUnits: 0 }
    }
    expect(await speedOf(slow, cellsLoop(makeCells(KEYS)))).toBeLessThan(RATIO_MIN)
  })

  test('one object an operation is an allocation', () => {
    const wasteful = (rounds: number): Counted => {
      for (let at = 0; at < rounds * KEYS; at += 1) kept = { at }
      return { operations: rounds * KEYS, admittedUnits: 0, refundedUnits: 0 }
    }
    expect(bytesOf(wasteful)).toBeGreaterThan(BYTES_MAX)
    expect(kept).not.toBeNull()
  })
})
