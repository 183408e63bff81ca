import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { REORDER_WITHIN_MS, Reorderer } from '../../src/cli/replay/reorderer.ts'

const SECOND = 1_000

test('items within the window are sorted by time, then by arrival, however often they are taken', () => {
  const items = fc.array(
    fc.record({ at: fc.nat({ max: REORDER_WITHIN_MS / SECOND }).map((s) => s * SECOND), take: fc.boolean() }),
  )
  fc.assert(
    fc.property(items, (items) => {
      const reorderer = new Reorderer<{ readonly at: number; readonly place: number }>()
      const taken: { readonly at: number; readonly place: number }[] = []
      const given = items.map(({ at }, place) => ({ at, place }))
      for (const [place, item] of given.entries()) {
        reorderer.push(item)
        if (items[place]?.take === true) taken.push(...reorderer.takeReady())
      }
      taken.push(...reorderer.takeAll())
      expect(taken).toEqual(given.toSorted((a, b) => a.at - b.at))
      expect(reorderer.tooLate).toBe(0)
    }),
  )
})

test('an item older than the window is released at once, so that memory stays bounded', () => {
  const reorderer = new Reorderer()
  for (let at = 0; at <= 2 * REORDER_WITHIN_MS; at += SECOND) reorderer.push({ at })
  expect(reorderer.takeReady().at(-1)).toEqual({ at: REORDER_WITHIN_MS })
  reorderer.push({ at: 7 })
  expect(reorderer.takeReady()).toEqual([{ at: 7 }])
  expect(reorderer).toMatchObject({ outOfOrder: 1, tooLate: 1, furthestBackMs: 2 * REORDER_WITHIN_MS - 7 })
})

test('memory stays bounded when all times are equal', () => {
  const reorderer = new Reorderer()
  for (let count = 0; count < 200_001; count++) reorderer.push({ at: 0 })
  expect(reorderer.takeReady()).toHaveLength(1)
})

test('a log that begins with its latest line is sorted in little time', () => {
  const reorderer = new Reorderer()
  // Processor time, which does not depend on the load of the machine. A search from the end for each line would take minutes.
  const before = process.cpuUsage()
  for (let at = 200_000; at > 0; at--) reorderer.push({ at })
  expect(reorderer.takeAll().map(({ at }) => at)).toEqual(Array.from({ length: 200_000 }, (_, index) => index + 1))
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1_000).toBeLessThan(5_000)
})
