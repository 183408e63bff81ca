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
/** `npm run bench:gate` measures 0.6 to 0.7. Half of that is more than noise: the gate has become slower. */
const RATIO_MIN = 0.35
/** The smallest object takes 16 bytes. */
const BYTES_MAX = 1
const SCHEDULE = { turns: 101, sliceMs: 2 }
/** Another process may disturb a measurement. It does not disturb all, and it cannot make slow code fast. */
const ATTEMPTS_MAX = 5

const vsa = open({ store: withFixedLeases(memory(), UNITS), flushIntervalMs: 3_600_000 })
const family = vsa.budgets('floor', { initial: 4 * UNITS, atRisk: UNITS })
const budgets: readonly Budget[] = Array.from({ length: KEYS }, (_, index) => family.of(`tenant-${index}`))

/** Some owners lease at the second request only. After these every budget has its lease, and V8 has seen the slow path. */
beforeAll(async () => {
  for (let time = 0; time < 3; time += 1) await Promise.all(budgets.map((budget) => budget.admit()))
})
afterAll(() => vsa.close())

function variant(name: string, run: (rounds: number) => Counted): Variant {
  return { name, base: null, floor: null, spends: true, awaits: false, run }
}

/** The speed of `run` as a share of that of `base`: the best of several attempts, until one is above the minimum. */
async function speedOf(run: (rounds: number) => Counted, base: (rounds: number) => Counted): Promise<number> {
  let best = 0
  for (let attempt = 0; attempt < ATTEMPTS_MAX && best <= RATIO_MIN; attempt += 1)
    best = Math.max(best, await measure(run, base))
  return best
}

/** Both run in short turns, one after the other, so that a change of the machine's speed affects both. */
async function measure(run: (rounds: number) => Counted, base: (rounds: number) => Counted): Promise<number> {
  const [measured, against] = await interleaved([variant('it', run), variant('base', base)], SCHEDULE)
  if (measured === undefined || against === undefined) throw new Error('not measured')
  expect(measured.counted.admittedUnits, 'no denials').toBeGreaterThanOrEqual(measured.counted.operations)
  return ratioTo(measured, against)
}

/** Bytes for each operation, after the code is compiled. */
function bytesOf(run: (rounds: number) => Counted): number {
  for (let time = 0; time < 200; time += 1) run(100)
  return allocationOf(run, KEYS).bytesPerOperation
}

describe('L8: the hot path', () => {
  test('admits by handle at a third of the speed of a bare loop or more, one unit at a time', async () => {
    expect(await speedOf(handlesLoop(budgets), cellsLoop(makeCells(KEYS)))).toBeGreaterThan(RATIO_MIN)
  })

  test('admits by handle at a third of the speed of a bare loop or more, costs of 1 to 4', async () => {
    expect(await speedOf(handlesMixedLoop(budgets), cellsMixedLoop(makeCells(KEYS)))).toBeGreaterThan(RATIO_MIN)
  })

  test('allocates nothing when it admits or refunds', () => {
    expect(bytesOf(handlesLoop(budgets))).toBeLessThan(BYTES_MAX)
    expect(bytesOf(handlesMixedLoop(budgets))).toBeLessThan(BYTES_MAX)
    expect(bytesOf(handlesChurnLoop(budgets))).toBeLessThan(BYTES_MAX)
  })
})

describe('the measurements', () => {
  const cells = makeCells(KEYS)
  let kept: object | null = null

  test('find that a loop with a Map lookup for each cell is too slow', async () => {
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

  test('find one object for each operation', () => {
    const wasteful = (rounds: number): Counted => {
      for (let at = 0; at < rounds * KEYS; at += 1) kept = { at }
      return { operations: rounds * KEYS, admittedUnits: 0, refundedUnits: 0 }
    }
    expect(bytesOf(wasteful)).toBeGreaterThan(BYTES_MAX)
    expect(kept).not.toBeNull()
  })
})
