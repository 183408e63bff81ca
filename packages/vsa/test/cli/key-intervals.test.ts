import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyIntervals } from '../../src/cli/replay/key-intervals.ts'

test('counts pairs of key and interval, and requests that are alone in theirs', () => {
  const requests = fc.array(
    fc.record({ id: fc.constantFrom('a', 'b', 'c'), at: fc.nat({ max: 100 }), cost: fc.constant(1) }),
  )
  fc.assert(
    fc.property(requests, fc.integer({ min: 1, max: 30 }), (requests, intervalMs) => {
      const company = new KeyIntervals(intervalMs)
      const inPair = new Map<string, number>()
      for (const request of requests.toSorted((a, b) => a.at - b.at)) {
        company.add(request)
        const pair = `${request.id} ${Math.floor(request.at / intervalMs)}`
        inPair.set(pair, (inPair.get(pair) ?? 0) + 1)
      }
      const alone = [...inPair.values()].filter((count) => count === 1).length
      expect(company.tally).toEqual({ pairs: inPair.size, alone })
    }),
  )
})
