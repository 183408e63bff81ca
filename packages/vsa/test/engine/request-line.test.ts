import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PendingRequest, RequestTerms } from '../../src/engine/requests/pending-request.ts'
import { RequestLine } from '../../src/engine/requests/request-line.ts'
import { TurnTime } from '../../src/engine/requests/turn-time.ts'
import { manualClock } from '../../src/testing/index.ts'

class Untold extends PendingRequest {
  constructor(callers: number) {
    super(new RequestTerms([], false, 10))
    this.count = callers
  }

  tell(): void {}
}

type Step = readonly [
  what: 'push' | 'join' | 'first' | 'drain' | 'resolve' | 'dropFirst' | 'dropLast' | 'drop',
  amount: number,
]

/** Requests, and callers, before each request of the line, the last one first: of all that are late, so of all that have no verdict. */
function aheadOf(line: RequestLine): readonly number[] {
  const shedding = { msPerRequest: 1, servedBefore: 0, refuse: () => ({ kind: 'unaccounted' }) as const }
  for (const { terms } of line.values()) terms.deadlineAtMs = -1
  return [...line.late(shedding, 0)].map(({ ahead }) => ahead)
}

function expected(line: RequestLine): readonly number[] {
  let callers = 0
  const ahead: number[] = []
  for (const request of line.values()) {
    if (request.state !== 'resolved') ahead.push(callers)
    callers += request.count
  }
  return ahead.toReversed()
}

test('the callers before each request are known without a look at the others, whatever came and left', () => {
  const clock = manualClock()
  const step = fc.tuple(
    fc.constantFrom('push', 'push', 'join', 'first', 'drain', 'resolve', 'dropFirst', 'dropLast', 'drop'),
    fc.integer({ min: 0, max: 5 }),
  ) as fc.Arbitrary<Step>
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const line = new RequestLine()
      for (const [what, amount] of steps) {
        if (what === 'push') line.push(new Untold(1 + amount))
        else if (what === 'join' && line.last !== undefined) {
          line.last.count += 1
          line.joined()
        } else if (what === 'first') line.putFirst([new Untold(1 + amount), new Untold(2)])
        else if (what === 'drain') {
          let left = amount
          line.drain(new TurnTime(clock), () => (left -= 1) >= 0)
        } else if (what === 'resolve') {
          const request = line.list()[amount]
          if (request !== undefined) request.state = 'resolved'
        } else if (what === 'dropLast') line.dropLast()
        else if (what === 'dropFirst') line.dropFirst()
        else if (what === 'drop') line.dropResolved()
        expect(aheadOf(line)).toEqual(expected(line))
      }
    }),
  )
})
